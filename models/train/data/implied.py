"""Requests that need a tool which they never speak of: who says "save it as notes/plan.md" needs what writes files.

A few needs are so common that every catalogue has tools for them: files, today's date, places, the web, a mail, a chart.
Requests take them for granted, and seldom use a word that stands in those tools' texts.
"""

from dataclasses import dataclass

from . import value_lists as lists
from . import several, wrap
from .noise import careless
from .pairs import IMPLIED, Pair
from .phrases import sentence
from .seeds import generator
from .verbs import RETRIEVE
from .words import split

# Requests of one need, at the whole share.
_EACH = 500
_CARELESS = 0.15
_TEXT_FILES = ("notes/plan.md", "~/notes/summary.md", "/home/mia/docs/findings.md", "out/result.txt", "./README.md",
    "/data/export/answer.json", "/workspace/report.md", "C:\\Users\\Leo\\Desktop\\overview.txt", "/srv/wiki/index.html",
    "drafts/letter.txt", "/tmp/summary.csv", "logs/today.log", "docs/comparison.md", "/home/raj/research/topic.md")
_PLACES = ("the Old Town Hall in Prague", "Shibuya station", "Plaza Mayor", "the Louvre", "Harbour Street 12 in Bristol",
    "Central Park", "Alexanderplatz", "Table Mountain", "the harbour of Bergen", "Ueno Park")
_DAYS = ("tomorrow", "next Friday", "this coming weekend", "today", "the day after tomorrow", "next week", "tonight",
    "Monday morning", "the last three days")


@dataclass(frozen=True)
class Need:
    """What requests take for granted. A tool is for it whose name has a word of each of `named`, none of `unlike`, and at
    most `longest` words. `after` follows a request for another tool, `alone` asks for nothing else."""

    name: str
    named: tuple[frozenset, ...]
    unlike: frozenset = frozenset()
    longest: int = 4
    after: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()

    def is_for(self, tool):
        """By its name."""
        terms = split(tool.name).lower().split()
        return len(terms) <= self.longest and not self.unlike & set(terms) and all(words & set(terms) for words in self.named)


def _any(words):
    return frozenset(words.split())


# `unlike` comes from reading which names of mcp-pool and the other sets would fit otherwise.
NEEDS = (
    Need("write a file", (_any("write save create append"), _any("file files")),
        _any("bank research item items image using laravel history"), after=(
            "{a}, and save it to {file}", "{a} and write the result to {file}", "{a}. Save the answer as {file}.",
            "{a}, then put it all into {file}", "{a} and keep a copy in {folder}", "{a}. Write it up as {file}, please.",
            "{a}; I want it as a markdown document under {folder}", "{a} and store what you find at {file}",
            "write me a short guide on {topic} and put it in {file}", "prepare an overview of {topic}, saved to {file}")),
    Need("read a file", (_any("read open load"), _any("file files text contents content document")),
        _any("bank laravel multiple bulk directory git"), alone=(
            "read {file} and tell me what it says about {topic}", "what's in {file}?", "summarise {file} for me",
            "how many rows does {file} have, and which columns?", "show me line {n} of {file}",
            "who is mentioned in {file}?", "find the person called {person} in {file} and give me the phone number",
            "look into {file}: what went wrong there?", "compare {file} with the one in {folder} and tell me what changed")),
    Need("list a folder", (_any("list ls"), _any("directory directories folder files")),
        _any("bank task download downloaded data tags ecm allowed"), alone=(
            "what files are in {folder}?", "go through everything in {folder} and sum it up", "is there a PDF in {folder}?",
            "which of the documents under {folder} are about {topic}?", "how many pictures do I have in {folder}?",
            "read all reports in {folder} and compare them")),
    Need("know the date", (_any("current now today"), _any("time date datetime")), _any("ip"), 5, after=(
        "{a} for {day}", "{a}, {day}", "{a}. I need it for {day}.", "{day} I'd like to {a}", "{a} as of {day}"), alone=(
            "what day is it {day}?", "how many days are left until the end of the year?", "which weekday is it in {n} days?",
            "how long is it until {event} {day}?")),
    Need("find a place", (_any("geocode geocoding geocoder"),), _any("videos reverse"), alone=(
        "what can I visit within a kilometre of {place}?", "where can I park near {place}?", "how do I get from {place} to {place2}?",
        "is there a pharmacy around {place}?", "find a place to meet halfway between {place} and {place2}",
        "plan a walk of two hours that begins at {place}", "I'll be staying at {street}; what is nearby?",
        "how far is {place} from {street}?", "coordinates of {place}")),
    Need("search the web", (_any("web google brave duckduckgo bing internet"), _any("search")),
        _any("data books amazon linkedin images image maps scholar patents shopping"), alone=(
            "what's the latest on {topic}?", "find out what people think of the {product}", "any news about {company} {day}?",
            "who won the last match of {team}?", "research {topic} and tell me the main arguments", "is {company} a good employer?",
            "what are the three main causes of the problems with {topic}?", "what did {player} do recently?",
            "I want to buy a {product}; which ones are good value, with links?")),
    Need("open a page", (_any("fetch scrape crawl navigate visit read"), _any("url page website web content markdown html navigate")),
        _any("back forward bank laravel session file contacts wuolah"), alone=(
            "summarise {url} for me", "what does {url} say about {topic}?", "read {url} and list the main points",
            "are there any prices on {url}?", "get me the headings of the page at {url}"), after=("{a}. The page is {url}.",)),
    Need("send a mail", (_any("send"), _any("email mail gmail")), _any("marketing engagement direct bulk"), after=(
        "{a} and email it to {person}", "{a}, then let {person} know by mail", "{a} and send the result to {address}",
        "{a}. {person} should have it in the inbox by {day}.")),
    Need("draw a chart", (_any("create generate draw make render plot"), _any("chart plot graph bar pie")),
        _any("panel superset thriller scatter database knowledge sine elevation"), after=(
            "{a} and show it as a bar chart", "{a}, plotted by month", "{a}. I'd like a pie chart of it.",
            "{a} and draw me a picture of how it changed")),
    # By one word alone: "calculate_tip" is for tips.
    Need("calculate", (_any("calculate calculator evaluate calc arithmetic"),), longest=1, alone=(
            "what's {n}% of {m} plus {k}?", "I pay {n} a month and {m} once; how much is that in {k} years?",
            "split {m} between {n} people and add {k} each", "{m} grams at {n} each, what is that worth?",
            "how much is left of {m} after {n}, {k} and another {n}?")),
    Need("make a PDF", (_any("pdf"), _any("save generate create convert export to as")), _any("metadata read"), 5, after=(
        "{a} and give it to me as a PDF", "{a}, saved as {stem}.pdf", "{a}. Make it a PDF with the title {title}.")),
    Need("run a command", (_any("execute run exec"), _any("command shell bash terminal")), _any("gdb editor"), alone=(
        "run {command} in {folder}", "how much disk space is left on this machine?", "install {library} in {folder}",
        "start the tests of {repo} and tell me what fails", "which processes use the most memory right now?")),
)


def made(tools, subjects, seed, share=1.0):
    """Pairs of each need for which there are tools: the request's own tool, where it has one, and one for the need; the
    others would do as well."""
    bases = [subject for subject in subjects if subject.best.verb in RETRIEVE and len(str(subject.best).split()) <= 12]
    for need in NEEDS:
        fitting = sorted(tool.id for tool in tools if need.is_for(tool))
        forms = need.after + need.alone
        for number in range(round(_EACH * share) if fitting and bases else 0):
            rng = generator(seed, IMPLIED, need.name, number)
            form, base, chosen = rng.choice(forms), rng.choice(bases), rng.choice(fitting)
            asks = "{a}" in form
            ask = several.asked(base, rng) if asks else ""
            if asks and (ask is None or base.tool.id in fitting):
                continue
            text = sentence(_filled(form, ask, wrap.topic(base.best, rng), rng), "?" if form.endswith("?") else "")
            text = careless(text, rng) if rng.random() < _CARELESS else text
            relevant = (base.tool.id, chosen) if asks else (chosen,)
            yield Pair(text, relevant, IMPLIED, "implied", also=[tool_id for tool_id in fitting if tool_id != chosen])


def _filled(form, ask, topic, rng):
    """The request around `ask`; numbers are such as people have."""
    place, other = rng.sample(_PLACES, 2)
    values = {
        "a": ask, "file": rng.choice(_TEXT_FILES + lists.PATHS), "folder": rng.choice(lists.FOLDERS),
        "topic": topic or rng.choice(lists.TOPICS), "n": rng.randint(2, 90), "m": rng.randint(100, 9000),
        "k": rng.randint(2, 40), "person": rng.choice(lists.PEOPLE), "day": rng.choice(_DAYS), "event": rng.choice(lists.EVENTS),
        "place": place, "place2": other, "street": rng.choice(lists.STREETS), "product": rng.choice(lists.PRODUCTS),
        "company": rng.choice(lists.COMPANIES), "team": rng.choice(lists.TEAMS), "player": rng.choice(lists.PLAYERS),
        "url": f"https://{rng.choice(lists.DOMAINS)}{rng.choice(lists.PAGES)}", "title": rng.choice(lists.TITLES),
        "address": f"{rng.choice(lists.FIRST)}.{rng.choice(lists.LAST)}@{rng.choice(lists.DOMAINS)}",
        "stem": rng.choice(lists.STEMS), "command": rng.choice(lists.COMMANDS), "library": rng.choice(lists.LIBRARIES),
        "repo": rng.choice(lists.REPOS),
    }
    for name, value in values.items():
        form = form.replace(f"{{{name}}}", str(value))
    return form
