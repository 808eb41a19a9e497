"""The phrases that API documents put around what a tool does; `deed.py` takes them off.

Collected by reading which first sentences of the public sets still sounded like a reference after the last round.
"""

import re

_THING = (
    r"(?:tool|function|endpoint|api call|api method|api endpoint|api|method|resource|service|request|action|"
    r"operation|command|route|"
          r"query|call|module|plugin|app|utility|helper|webhook|mcp tool|feature|option|end point|interface)s?")
_WHO = (r"(?:\s+(?:you|users?|the users?|us|one|clients?|developers?|customers?|anyone|people|the model|an agent|"
        r"agents))?")
# What stands before the verb: "This tool allows you to …".
LEADS = [re.compile("^" + pattern + r"\s+", re.I) for pattern in (
    rf"(?:(?:this|the|an?|our|these)\s+)?(?:[\w-]+\s+){{0,2}}?{_THING}(?:\s+(?:can|could|will|may|should|also))*\s+"
    rf"(?:allows?|enables?|lets?|helps?|permits?|allowing)(?:\s+for)?{_WHO}(?:\s+to)?(?:\s+be\s+able\s+to)?",
    rf"(?:(?:this|the|an?|our|these)\s+)?(?:[\w-]+\s+){{0,2}}?{_THING}\s+(?:can|could|will|may|should|"
    rf"must)(?:\s+be)?(?:\s+used)?(?:\s+(?:to|for))?",
    rf"(?:(?:this|the|an?|our|these)\s+)?(?:[\w-]+\s+){{0,2}}?{_THING}\s+(?:that|which|to|for|(?:is|are)?\s*(?:used|"
    rf"designed|intended|meant|useful|able)\s+(?:to|for)|"
    rf"is\s+(?:to|for)|provides\s+(?:the\s+ability|a\s+way|functionality)\s+to|(?:gives|"
    rf"offers)\s+{_WHO}\s*the\s+(?:ability|option)\s+to)",
    rf"(?:this|the|our)\s+(?:[\w-]+\s+)?{_THING}",
    rf"(?:allows?|enables?|lets?|helps?)(?:\s+for)?{_WHO}(?:\s+to)?",
    rf"(?:use|call|invoke|hit|run)\s+(?:this|it)(?:\s+{_THING})?\s+(?:to|for|when(?:ever)?\s+(?:you|"
    rf"the user)\s+(?:need|want|wants|needs)\s+to|if\s+you\s+(?:want|need)\s+to)",
    r"(?:is\s+)?(?:used|useful|designed|intended|ideal|helpful|great|perfect)\s+(?:to|for|when)",
    r"(?:you|users?|we|it|they)\s+(?:can|may|could|will|"
    r"must)(?:\s+be\s+able\s+to)?(?:\s+use\s+this(?:\s+\w+)?\s+to)?(?:\s+also)?",
    r"provides?\s+(?:a\s+way|the\s+ability|functionality|an?\s+(?:endpoint|interface|api|option))\s+(?:to|for)",
    r"(?:will|it|to|we|contains?|represents?|please,|can be used to|then|also|tries to|attempts to|try to|attempt to|"
    r"ability to|be able to)",
    rf"(?:with|using|through|from|by)\s+this\s+{_THING},?(?:\s+(?:you|users|we)\s+(?:can|could|may)|"
    rf"\s+it\s+is\s+possible\s+to)?",
    r"(?:quickly|easily|simply|just|automatically|efficiently|recursively|directly|immediately|please|asynchronously|"
    r"safely|"
    r"programmatically|either|securely|intelligently|optionally|bulk|only|helps?)",
)]
# What nobody says who wants the thing done: "… using the RapidAPI service", "… with optional filters".
TAILS = [re.compile(pattern + ".*$", re.I) for pattern in (
    r"[,\s]+(?:using|via|through|from|with|by|of|on)\s+(?:the\s+|an?\s+|our\s+)?(?:(?!using|via|through|from|"
    r"with)\S+\s+){0,4}?(?:rapidapi|rapid api|toolbench)\b",
    r"[,\s]+(?:using|via|through)\s+(?:the\s+|an?\s+|our\s+|its\s+)?(?:\S+\s+){0,5}?(?:api|apis|service|endpoint|"
    r"services)\b",
    r"[,\s]+(?:based\s+on|using|given|with|by|for|from|according\s+to|that\s+match(?:es)?|matching|satisfying|"
    r"filtered\s+by|including|and)\s+"
    r"(?:the\s+|a\s+|any\s+|some\s+)?(?:set\s+of\s+|number\s+of\s+)?(?:(?:given|provided|specified|supplied|various|"
    r"optional|certain|following|input|specific|different|multiple|several|custom|other|"
    r"additional|advanced|query|search|filter(?:ing)?|request|user|sorting|and|pagination)\s+)+(?:parameters?|"
    r"filters?|criteria|options?|inputs?|arguments?|configurations?|settings?|params|support|filtering|pagination|"
    r"conditions?)\b",
    r"[,\s]+with\s+(?:pagination|filtering|filters|optional|various|support\s+for|configurable|customi[sz]able|"
    r"advanced|comprehensive|full|detailed|additional)\b",
    r"[,\s]+(?:in|as)\s+(?:an?\s+|the\s+)?(?:\w+\s+)?(?:json|xml|csv|yaml|html)\b",
    r",?\s+(?:where|which|note that|so that|in order to|otherwise|unless|because|since this|similar to|depending on|"
    r"if applicable|if available|when available)\b",
    r",\s+(?:appending|adding|taking|leveraging|if|or returns?|and returns?|returning|supporting|such as|e\.g|i\.e|"
    r"optionally|along with|making|allowing|providing|useful|including|plus|like|ordered|sorted|updated|this|it|the|"
    r"you|using)\b",
    r"\s+(?:including|such as|e\.g|i\.e|for example|along with|optionally)\b",
    r",\s+(?:me|i|we)\s",
    r",?\s+given\s",
    r",?\s+(?:which\s+|that\s+)?(?:will|can|must|should)\s+(?:return|give|be|provide|show|also)\b",
    r",?\s+and\s+(?:provide|provides|return|returns)\s+(?:timely|detailed|the results?|results|a list|them|it)\b",
    r",?\s+based\s+on\s",
    r",?\s+by\s+(?:providing|entering|passing|specifying|supplying|giving|sending|making|using|combining|querying|"
    r"calling|leveraging|utilizing)\s",
    r"\s+(?:with|using|in|from)\s+this\s+(?:endpoint|api|tool|method|service|function)\b",
    r"\s+as\s+an?\s+(?:tool|function|service)$",
    r"\s+using\s+(?:its|their|the|an?)(?:\s+\S+){1,3}$",
    r":\s",
    r"\s+[-–—]+\s",
)]
# "… by its ID": a request names the thing itself.
BY_ID = re.compile(
    r"\s+(?:by|using|with|from|given|via|based on|for)\s+(?:its|their|the|an?|your)?\s*(?:provided|given|specified|"
    r"specific|unique)?\s*"
                    r"(?:\w+\s+){0,2}?(?:id|ids|identifier|identifiers|uuid|guid|slug|name|names|username|title|isbn|"
                    r"code|symbol|ticker|keyword|keywords|query|"
                    r"term|terms|key|number|address|hash|url)(?:s?(?:\s+(?:and|or|and/or)\s+(?:\w+\s+){0,2}?(?:id|"
                    r"name|username|title|code|symbol|year|date|country|city|number|slug|code|key))?)$", re.I)
# Words that stand where a request has a value: "a specific board".
_HOLLOW = ("specified|specific|particular|certain|provided|supplied|requested|selected|individual|single|desired|"
           "chosen|existing")
VAGUE = re.compile(
    rf"\b(?:(a|an|the|any|some|one|two|three|all|these|multiple|several)\s+(?:given|{_HOLLOW})|(?<=\bfor )given|"
    rf"(?<=\bof )given|(?<=\bin )given|(?<=\baround )given|(?:{_HOLLOW}))\s+(?=\w)", re.I)
# Determiners that become "a" once the hollow word is gone; others stay.
ONE = frozenset({"a", "an", "any", "some", "one"})
