"""Other words for the verbs and nouns of tool talk, as people say them.

A verb's list holds only what takes the same object, so that a swap stays grammatical: "remove the card" may become "get
rid of the card", but "check if it rains" may not become "verify if".
"""

import re

VERBS = {
    "get": ("show me", "find", "look up", "pull up", "give me", "fetch", "bring up", "get me", "grab", "tell me"),
    "list": ("show me", "list out", "give me", "enumerate", "go through", "pull up"),
    "search": ("look for", "find", "search for", "hunt for", "dig up", "track down"),
    "search for": ("look for", "find", "hunt for", "dig up", "track down", "find me"),
    "locate": ("find", "look for", "find me", "tell me where to find"),
    "check": ("look at", "check on", "have a look at", "verify"),
    "create": ("make", "set up", "add", "make me", "put together"),
    "add": ("put in", "include", "attach", "add in"),
    "generate": ("make", "create", "produce", "come up with", "make me", "put together"),
    "build": ("make", "create", "put together"),
    "delete": ("remove", "get rid of", "drop", "throw away", "wipe", "erase"),
    "remove": ("delete", "get rid of", "take out", "drop", "clear"),
    "update": ("change", "edit", "modify", "adjust", "revise"),
    "edit": ("change", "modify", "update"),
    "modify": ("change", "edit", "adjust"),
    "set": ("change", "adjust", "configure"),
    "rename": ("change the name of", "give a new name to"),
    "send": ("send out", "fire off", "deliver", "shoot over"),
    "post": ("publish", "put up", "share"),
    "calculate": ("work out", "figure out", "compute", "determine", "tell me", "find"),
    "compute": ("work out", "calculate", "figure out"),
    "estimate": ("work out roughly", "guess", "approximate", "predict"),
    "predict": ("forecast", "estimate", "project"),
    "convert": ("turn", "change", "transform"),
    "analyze": ("look into", "examine", "study", "go over", "analyse"),
    "summarize": ("sum up", "give me the gist of", "condense", "give me a short version of"),
    "validate": ("check", "verify", "confirm"),
    "verify": ("check", "confirm", "validate", "double-check"),
    "execute": ("run", "carry out"),
    "run": ("execute", "launch", "start"),
    "perform": ("do", "run", "carry out"),
    "start": ("launch", "begin", "kick off", "fire up"),
    "stop": ("halt", "end", "shut down", "kill"),
    "cancel": ("call off", "drop", "scrap"),
    "extract": ("pull out", "get", "take out", "pull"),
    "compare": ("put side by side", "weigh up", "contrast"),
    "download": ("save", "grab", "get a copy of"),
    "upload": ("put up", "add", "push"),
    "open": ("bring up", "launch", "pull up"),
    "close": ("shut", "end"),
    "book": ("reserve", "arrange"),
    "schedule": ("plan", "set up", "arrange"),
    "track": ("follow", "keep an eye on", "monitor"),
    "monitor": ("watch", "keep an eye on", "keep track of"),
    "translate": ("put into another language", "translate"),
    "assign": ("give", "allot", "hand"),
    "move": ("shift", "transfer", "relocate"),
    "copy": ("duplicate", "make a copy of", "clone"),
    "archive": ("put away", "shelve", "archive"),
    "detect": ("spot", "find", "identify", "pick up"),
    "identify": ("find", "spot", "figure out", "work out"),
    "enable": ("turn on", "switch on", "activate"),
    "disable": ("turn off", "switch off", "deactivate"),
    "purchase": ("buy", "get", "order"),
    "submit": ("send in", "file", "hand in"),
    "read": ("open", "show me", "look at", "get"),
    "write": ("put down", "save", "write down"),
    "save": ("store", "keep", "put away"),
    "evaluate": ("assess", "judge", "rate"),
    "optimize": ("improve", "tune", "make better"),
    "register": ("sign up", "enter", "add"),
    "recommend": ("suggest", "propose"),
    "suggest": ("recommend", "propose", "come up with"),
    "deploy": ("roll out", "ship", "push out"),
    "install": ("set up", "add"),
    "invite": ("bring in", "add"),
    "test": ("try out", "check"),
    "scan": ("check", "go through", "inspect"),
    "inspect": ("look at", "examine", "check"),
    "render": ("draw", "produce", "generate"),
    "draw": ("sketch", "make", "paint"),
    "publish": ("put out", "release", "post"),
    "retry": ("try again", "rerun"),
    "restart": ("reboot", "start again"),
    "merge": ("combine", "join"),
    "sort": ("order", "arrange"),
}
# Verbs that documents use and requests hardly do.
SPOKEN = {"retrieve": "get", "return": "get", "provide": "get", "obtain": "get", "fetch": "get", "display": "show me",
          "give": "give me", "view": "show me", "access": "get", "query": "look up", "receive": "get", "gather": "get",
          "collect": "collect", "show": "show me", "compute": "calculate", "perform": "run", "analyse": "analyze",
          "utilize": "use", "enumerate": "list", "discover": "find", "browse": "browse", "load": "load", "look": "look",
          "obtain info on": "get", "see": "show me"}
NOUNS = {
    "information": ("info", "details", "facts"), "details": ("info", "information", "particulars"),
    "data": ("figures", "info", "numbers"),
    "statistics": ("stats", "numbers", "figures"), "repository": ("repo",), "repositories": ("repos",),
    "document": ("doc", "file"),
    "documents": ("docs", "files"), "documentation": ("docs", "manual"), "picture": ("image", "photo"),
    "image": ("picture", "photo"), "images": ("pictures", "photos"),
    "photo": ("picture", "image"), "photos": ("pictures", "pics"), "price": ("cost", "going rate"),
    "prices": ("costs", "rates"), "cost": ("price",), "user": ("person", "account", "member"),
    "users": ("people", "accounts", "members"), "company": ("business", "firm"), "companies": ("businesses", "firms"),
    "employee": ("staff member", "worker"),
    "employees": ("staff", "workers"), "message": ("note", "text"), "messages": ("notes", "texts"),
    "email": ("mail", "e-mail"), "emails": ("mails", "e-mails"),
    "movie": ("film",), "movies": ("films",), "film": ("movie",), "films": ("movies",), "song": ("track",),
    "songs": ("tracks",), "error": ("problem", "failure"), "errors": ("problems", "failures"),
    "list": ("rundown", "overview"), "current": ("latest", "present"), "latest": ("newest", "most recent"),
    "recent": ("latest", "new"), "available": ("possible", "existing"),
    "configuration": ("config", "setup", "settings"), "settings": ("config", "preferences"), "application": ("app",),
    "applications": ("apps",), "environment": ("env",),
    "environments": ("envs",), "database": ("db",), "task": ("to-do", "job"), "tasks": ("to-dos", "jobs"),
    "meeting": ("appointment", "call"), "meetings": ("appointments", "calls"), 
    "customer": ("client",), "customers": ("clients",), "article": ("piece", "story"),
    "articles": ("pieces", "stories"), "video": ("clip",), "videos": ("clips",), "website": ("site", "web page"),
    "websites": ("sites",), "folder": ("directory",), "directory": ("folder",), "file": ("document",),
    "vehicle": ("car",), "vehicles": ("cars",), "city": ("town",), "location": ("place", "spot"),
    "locations": ("places", "spots"),
    "forecast": ("outlook", "prediction"), "comment": ("remark", "reply"), "comments": ("remarks", "replies"),
    "transaction": ("transfer",), "summary": ("overview", "short version"),
    "specifications": ("specs",), "temperature": ("temp",), "average": ("mean",), "schedule": ("timetable", "plan"),
    "recipe": ("dish",), "recipes": ("dishes",), 
    "reviews": ("ratings", "opinions"), "team": ("squad", "club"), "matches": ("games", "fixtures"),
    "match": ("game", "fixture"),
    "job": ("position", "opening"), "jobs": ("openings", "positions"), "product": ("item",),
    "products": ("items", "goods"), "cryptocurrency": ("crypto", "coin"), "cryptocurrencies": ("crypto coins", "coins"),
    "weather": ("conditions", "weather"), "stock": ("share",), "stocks": ("shares",), "ticket": ("issue", "case"),
    "tickets": ("issues", "cases"), "disease": ("illness", "condition"), "drug": ("medicine", "medication"),
    "earthquake": ("quake",), "student": ("pupil",), "students": ("pupils",), "required": ("needed",),
    "multiple": ("several",),
}


def swap_nouns(text, rng, share=0.6):
    """Some known nouns of `text` replaced, each with probability `share`; at most two, so that the sense stays."""
    left = 2

    def swap(match):
        nonlocal left
        word = match.group(0)
        if left == 0 or word.lower() not in NOUNS or rng.random() >= share:
            return word
        left -= 1
        return rng.choice(NOUNS[word.lower()])

    return _article(re.sub(r"(?<![\w<{\[\"'@/.-])[a-z]{3,}(?![\w>}\]@/-])", swap, text))


def _article(text):
    text = re.sub(r"\ba (?=[aeio][a-z])(?!one)", "an ", text)
    return re.sub(r"\ban (?=[bcdfgjklmnpqrstvwyz][a-z])", "a ", text)
