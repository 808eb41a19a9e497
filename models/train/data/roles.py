"""What role a parameter plays in a request, and values for each role, by the words of its name.

A name is judged by its last words, so that "source_city" and "cityName" are places as "city" is.
"""

import re
from functools import cache

from . import value_lists as v
from .words import split

# Parameters that nobody states: paging, keys, formats.
_SILENT = re.compile(
    r"\b(cursor|offset|page|per page|page size|pagesize|skip|api ?key|apikey|key id|access token|token|secret|"
    r"password|passphrase|pass|callback|session|"
    r"sort ?by|sort|order ?by|order|sort order|orderby|sortby|fields|field|properties|associations|params|parameters|"
    r"options|config|configuration|headers?|metadata|"
    r"body|proxy|timeout|format|output ?format|response format|output ?size|hl|gl|locale|include|exclude|expand|ctx|"
    r"context|raw|etag|nonce|signature|"
    r"content ?type|accept|accept language|page number|page no|language ?code|lr|max|auth|authorization|client id|"
    r"client secret|refresh token|credentials|user agent|version|api version|after|before id|filters?|where|args|"
    r"extra|schema|"
    r"payload|input data|data|inputs?|value|variables|settings|verbose|debug|dry run|encoding|mime ?type|thought|"
    r"mode|profile id|rapidapi|index|start|end|"
    r"node ids?|geometry|vector|matrix|uri|lang ?id|hash|seed|state|type ?id|custom instance id|custom token|"
    r"marketplace ids?|selling partner id)$")
_GLUED = re.compile(r"(?<![\w ])((?!uu|gu|gr|va|pa|co|and)[a-z]{3,})(ids?)$")
_SHORT = frozenset(
    "age sex fee tax tip bus car day max min num new old top gas key job rim bmi gpa of a b c x y z n 1 2 3".split())


def _date(rng):
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.choice((2023, 2024, 2025))
    name = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December")[month - 1]
    return rng.choice((f"{year}-{month:02d}-{day:02d}", f"{name} {day}, {year}", f"{day} {name} {year}",
        f"{name} {day}", "tomorrow", "next Monday", "today"))


def date_pair(rng):
    """Two dates in one form, the first before the second."""
    year, month, day = rng.choice((2023, 2024, 2025)), rng.randint(1, 11), rng.randint(1, 20)
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    later = (month, day + rng.randint(1, 8)) if rng.random() < 0.5 else (month + 1, rng.randint(1, 28))
    form = rng.choice(("{y}-{m:02d}-{d:02d}", "{n} {d}", "{n} {d}, {y}", "{d} {n} {y}"))
    return tuple(form.format(y=year, m=at[0], d=at[1], n=months[at[0] - 1]) for at in ((month, day), later))


def _ident(rng):
    hexes = "".join(rng.choice("0123456789abcdef") for _ in range(8))
    return rng.choice((str(rng.randint(11, 99)), str(rng.randint(1000, 99999)), hexes,
        f"{rng.choice('ABCKPTX')}-{rng.randint(100, 9999)}",
                       f"{''.join(rng.choice('abcdefghijkmnpqrstuvwxyz23456789') for _ in range(6))}",
                       str(rng.randint(100000, 9999999))))


def _email(rng):
    return f"{rng.choice(v.FIRST)}.{rng.choice(v.LAST)}@{rng.choice(v.DOMAINS)}"


def _url(rng):
    return rng.choice(("https://", "https://", "https://www.", "")) + rng.choice(v.DOMAINS) + rng.choice(v.PAGES)


def chain_address(rng):
    """An address on a blockchain, or in memory."""
    return "0x" + "".join(rng.choice("0123456789abcdef") for _ in range(rng.choice((8, 40))))


def _numbers(rng):
    return ", ".join(str(rng.randint(1, 60)) for _ in range(rng.randint(3, 6)))


def _money(rng):
    return str(rng.choice((20, 50, 75, 120, 250, 400, 999, 1500, 2500, 10000, 25000)) + rng.choice((0, 0, 0, 5)))


def _pick(*names):
    values = tuple(value for name in names for value in getattr(v, name))
    return lambda rng: rng.choice(values)


def _between(low, high):
    return lambda rng: str(rng.randint(low, high))


FOLDER = _pick("FOLDERS")
ENDINGS = ((r"excel|spreadsheet|workbook|xlsx", "xlsx"), (r"word doc|docx|\bword\b", "docx"), (r"pdf", "pdf"),
    (r"power ?point|slides?\b|presentation|pptx", "pptx"), (r"audio|speech|transcrib", "mp3"), (r"video", "mp4"),
            (r"image|photo|picture|screenshot", "png"), (r"csv", "csv"), (r"markdown", "md"), (r"json", "json"),
            (r"notebook", "ipynb"))


# (pattern on the words of the name, role, maker); the first that fits. A pattern is sought at the end of the name.
_RULES = [(re.compile(rf"\b(?:{pattern})$"), role, maker) for pattern, role, maker in (
    (r"(start|from|begin|check ?in|departure|since|min|after) date|date (from|start)|since|start (day|time)|from date",
        "since", _date),
    (r"(end|to|until|check ?out|return|max) date|date (to|end)|until|end (day|time)", "until", _date),
    (r"birth ?date|date of birth|dob", "number",
        lambda rng: f"{rng.randint(1960, 2004)}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}"),
    (r"due date|date ?time|dates?|day", "when", _date),
    (r"time ?zone|tz", "place", _pick("TIMEZONES")),
    (r"time (period|range|frame|span)|timeframe|period|date range|interval", "period", _pick("PERIODS")),
    (r"(start|end|begin|from|to)? ?year", "year", _between(1995, 2024)),
    (r"month", "when_in", lambda rng: rng.choice(("January", "March", "June", "October"))),
    (r"(start |end )?time|time of day|hour", "at",
        lambda rng: rng.choice(("9:30", "14:00", "8pm", "noon", "17:45", "7 am"))),
    (r"season", "year", _between(2012, 2024)),
    (r"country ?codes?|iso ?code", "place", _pick("COUNTRY_CODES")),
    (r"countr(y|ies)( names?)?|nation", "place", _pick("COUNTRIES")),
    (r"(city|cities|town)( names?)?", "place", _pick("CITIES")),
    (r"state( name| code)?|province", "place", _pick("STATES")),
    (r"region|area|continent", "place", _pick("REGIONS", "COUNTRIES", "CITIES")),
    (r"zip ?codes?|zip|postal ?codes?|postcode", "place", lambda rng: str(rng.randint(10000, 98999))),
    (r"street|home address|(shipping|billing|property|street) address|formatted address", "place", _pick("STREETS")),
    (r"(wallet|token|contract|account|pair|pool|owner) ?address|wallet|tx ?hash|transaction hash", "ident",
        chain_address),
    (r"ip ?address|ip|ipv4", "subject", lambda rng: ".".join(str(rng.randint(2, 250)) for _ in range(4))),
    (r"email ?address|emails?|recipients?|cc", "email", _email),
    (r"origin( city| airport)?|departure( city| airport| station)?|from ?(city|location|place|airport|station)", "from",
        _pick("CITIES")),
    (r"destination( city| airport)?|arrival( city| airport| station)?|to ?(city|location|place|airport|station)", "to",
        _pick("CITIES")),
    (r"(from|source|base) ?currency( code)?", "from", _pick("CURRENCIES")),
    (r"(to|target|quote) ?currency( code)?", "to", _pick("CURRENCIES")),
    (r"currency( code)?|currencies", "currency", _pick("CURRENCIES")),
    (r"(source|from|input) ?lang(uage)?( code)?", "from", _pick("LANGUAGES")),
    (r"(target|to|output|dest) ?lang(uage)?( code)?", "to", _pick("LANGUAGES")),
    (r"languages?|spoken language", "language", _pick("LANGUAGES")),
    (r"locations?|place|venue|address|city or zip|place name|address or location", "place", _pick("CITIES", "REGIONS")),
    (r"airport( code)?|iata( code)?|icao", "place", _pick("AIRPORTS")), (r"airline", "subject", _pick("AIRLINES")),
    (r"lat(itude)?", "number", lambda rng: f"{rng.uniform(-50, 60):.2f}"),
    (r"lo?ng?(itude)?|lon", "number", lambda rng: f"{rng.uniform(-120, 140):.2f}"),
    (r"coordinates?|latlng|lat lng|lat lon", "at",
        lambda rng: f"{rng.uniform(30, 60):.3f}, {rng.uniform(-10, 30):.3f}"),
    (r"limit|count|num|max results?|top ?n|top ?k|number of results|size|num results|max items|results", "limit",
        lambda rng: str(rng.choice((3, 5, 5, 10, 10, 20, 25, 50)))),
    (r"tickers?|stock( symbol| code)?|ticker symbol|(stock )?symbols?", "subject", _pick("TICKERS")),
    (r"coin( id| name)?|crypto(currency)?|cryptocurrency", "subject", _pick("COINS")),
    (r"pair|trading pair|currency pair", "subject", _pick("COINPAIRS")), (r"exchange( id)?", "on", _pick("EXCHANGES")),
    (r"chain( id| name)?|network|blockchain", "on", _pick("CHAINS")), (r"platform", "on", _pick("PLATFORMS")),
    (r"(company|business|employer|vendor|supplier|client|customer|organi[sz]ation)( name)?", "subject",
        _pick("COMPANIES")),
    (r"(user ?name|screen ?name|handle|login|unique ?id|user|account)", "user", _pick("HANDLES")),
    (r"password|secret", "silent", _ident),
    (r"(patient|doctor|employee|student|person|author|contact|member|owner|assignee|candidate|full|first|last|"
     r"display|customer|teacher|guest)s?( full)? names?|assignee|attendees?|participants?|celebrity|actor|director",
     "person", _pick("PEOPLE")),
    (r"(movie|film)s?( name| title)?", "title", _pick("MOVIES")),
    (r"(show|series|tv show)( name| title)?", "title", _pick("SHOWS")),
    (r"(song|track)( name| title)?", "title", _pick("SONGS")),
    (r"album( name| title)?", "title", _pick("ALBUMS")),
    (r"artists?( name)?|band|musician|singer", "subject", _pick("ARTISTS")),
    (r"book( name| title)?|isbn title", "title", _pick("BOOKS")), (r"author", "by", _pick("AUTHORS")),
    (r"genres?", "generic", _pick("GENRES")), (r"game( name| title)?", "title", _pick("GAMES")),
    (r"(team|club)s?( name)?|home team|away team", "subject", _pick("TEAMS")),
    (r"player( name)?|athlete", "subject", _pick("PLAYERS")),
    (r"league( name)?|competition|tournament( name)?", "subject", _pick("LEAGUES")),
    (r"sports?( name| type)?", "subject", _pick("SPORTS")),
    (r"species( name)?|plant( name)?", "subject", _pick("SPECIES")),
    (r"animal( type| name)?|pet( type)?|breed", "subject", _pick("ANIMALS")),
    (r"food( item| name)?|dish|recipe( name)?|meal", "subject", _pick("FOODS")),
    (r"ingredients?", "with", _pick("INGREDIENTS")),
    (r"diseases?( name)?|condition|diagnosis", "subject", _pick("DISEASES")), (r"symptoms?", "with", _pick("SYMPTOMS")),
    (r"(drug|medication|medicine)( name)?", "subject", _pick("DRUGS")),
    (r"hotel( name)?", "subject", _pick("HOTELS")),
    (r"university|school( name)?|college", "subject", _pick("UNIVERSITIES")),
    (r"course( name| title)?", "title", _pick("COURSES")), (r"industry|sector", "subject", _pick("INDUSTRIES")),
    (r"job( title)?|occupation|profession|position title|role", "subject", _pick("JOBS")),
    (r"skills?", "with", _pick("SKILLS")), (r"material", "generic", _pick("MATERIALS")),
    (r"element|substance|compound|chemical|molecule", "subject", _pick("ELEMENTS")),
    (r"(library|package|module|dependency)s?( name)?|packages", "subject", _pick("LIBRARIES")),
    (r"programming language", "language", _pick("TECH")),
    (r"repo(sitory)?( name| url| path)?|repository", "repo", _pick("REPOS")),
    (r"branch( name)?|ref", "generic", _pick("BRANCHES")),
    (r"(project|workspace|app|site|service|instance|cluster|bucket)( name| key)?", "thing", _pick("PROJECTS")),
    (r"(database|db)( name)?", "thing", _pick("DATABASES")), (r"(table|collection)( name)?", "thing", _pick("TABLES")),
    (r"sql( query)?|sql statement", "quoted", _pick("SQL")),
    (r"command|cmd", "quoted", _pick("COMMANDS")), (r"code|snippet|script|source code", "quoted", _pick("CODE")),
    (r"channel( name)?", "thing", _pick("CHANNELS")), (r"tags?|labels?", "tag", _pick("TAGS")),
    (r"(background |text |font |fill )?colou?r", "generic", _pick("COLORS")),
    (r"(product|item)s?( name| type)?", "subject", _pick("PRODUCTS")),
    (r"(brand|make|manufacturer)( name)?", "generic", _pick("BRANDS")),
    (r"(vehicle|car)( model| type| name)?|car model", "subject", _pick("CARS")),
    (r"devices?( name| type)?|entity", "thing", _pick("DEVICES")), (r"religion", "subject", _pick("RELIGIONS")),
    (r"(css )?selector|xpath", "on", _pick("SELECTORS")), (r"event( name| title)?", "title", _pick("EVENTS")),
    (r"url|urls|link|website|web ?page|website url|site url", "url", _url),
    (r"domains?( name)?|host|hostname", "url", _pick("DOMAINS")),
    (r"(folder|directory|dir)( path| name)?|root", "file", FOLDER),
    (r"(file ?)?paths?|repo path", "file", _pick("PATHS")),
    (r"file ?names?|files?|image|document|image path|pdf|audio|video", "file", _pick("FILES")),
    (r"search ?(query|term|string|keyword|text|phrase)s?|quer(y|ies)|terms?|q|keywords?|topics?|subject|search|"
     r"phrase|interest", "about", _pick("TOPICS")),
    (r"word", "word", _pick("WORDS")),
    (r"text|string|content|message|body|prompt|comment|sentence|note|caption|paragraph|description|summary|notes",
        "quoted", _pick("TEXTS")),
    (r"(?<!condition )(?<!filter )(?<!update )(?<!projection )(?<!cron )expression|equation|function|formula", "quoted",
        _pick("EXPRESSIONS")), (r"numbers|array|values|list", "numbers", _numbers),
    (r"(amount|price|cost|budget|salary|income|principal|loan amount|investment|payment|revenue|fee|balance)s?",
        "amount", _money), (r"age", "number", _between(18, 79)), (r"gender|sex", "generic", _pick("GENDERS")),
    (r"age (group|range)", "generic", _pick("AGE_GROUPS")),
    (r"(target )?audience|demographic", "for", _pick("AUDIENCES")),
    (r"priority|severity", "generic", _pick("PRIORITIES")), (r"status", "generic", _pick("STATUSES")),
    (r"method|algorithm", "generic", _pick("METHODS")), (r"key( name)?", "thing", _pick("KEYS")),
    (r"phone( number)?|mobile( number)?", "subject",
        lambda rng: f"+{rng.randint(1, 49)} {rng.randint(200, 999)} {rng.randint(1000, 9999)}"),
    (r"vin", "subject", lambda rng: "WBA3A5" + str(rng.randint(100000, 999999))),
    (r"(percent|percentage|interest rate|rate)", "number", lambda rng: f"{rng.randint(1, 12)}%"),
    (r"(\w+ )?(ids?|uuid|uid|guid|slug|identifier|number|no|code|pid)", "ident", _ident),
    (r"(\w+ )*(names?|title|label|heading)", "named", _pick("TITLES")),
)]
# What a parameter with an empty name ("q", "query", "name") stands for, told by its description.
OPEN_NAMES = frozenset({"q", "query", "search", "search query", "term", "search term", "keyword", "text", "name",
    "input", "value", "string", "search string", "search text"})
MEANT = [(re.compile(rf"(?i)\b(?:{pattern})\b"), role, maker) for pattern, role, maker in (
    (r"zip|city|cities|location|address|place|town|geocod\w*|coordinates", "place", _pick("CITIES")),
    (r"coins?|crypto\w*", "subject", _pick("COINS")),
    (r"tickers?|stock symbol|symbols?|stocks?", "subject", _pick("TICKERS")),
    (r"user ?names?|handle|profile", "user", _pick("HANDLES")), (r"movies?|films?", "title", _pick("MOVIES")),
    (r"tv shows?|series", "title", _pick("SHOWS")), (r"songs?|tracks?|lyrics", "title", _pick("SONGS")),
    (r"artists?|musicians?", "subject", _pick("ARTISTS")), (r"company|companies", "subject", _pick("COMPANIES")),
    (r"countr(?:y|ies)", "place", _pick("COUNTRIES")), (r"players?", "subject", _pick("PLAYERS")),
    (r"teams?", "subject", _pick("TEAMS")),
    (r"recipes?|foods?|meals?|ingredients?", "subject", _pick("FOODS")), (r"products?", "subject", _pick("PRODUCTS")),
    (r"books?", "title", _pick("BOOKS")),
    (r"games?", "title", _pick("GAMES")),
    (r"drugs?|medications?|medicines?", "subject", _pick("DRUGS")), (r"airports?", "place", _pick("AIRPORTS")),
    (r"hotels?", "subject", _pick("HOTELS")), (r"jobs?", "subject", _pick("JOBS")),
    (r"packages?|librar(?:y|ies)", "subject", _pick("LIBRARIES")),
)]


def role_of(name, schema):
    """The role of a parameter by its name and type alone; `silent` where people say nothing about it."""
    words = split(name).lower()
    words = re.sub(r"^(?:is|the|my|param|input|new)\s+(?=\w)", "", words)
    words = _GLUED.sub(r"\1 \2", words)
    kind = schema.get("type") if isinstance(schema, dict) else None
    return _role(words, kind if isinstance(kind, str) else None)


@cache
def _role(words, kind):
    if _SILENT.search(words) and not re.search(r"start date|end date|start time|end time|search|sort order id", words):
        return words, "silent", None
    if kind in ("boolean", "object"):
        return words, "silent", None
    for pattern, role, maker in _RULES:
        if pattern.search(words):
            if kind in ("integer", "number") and role in {"at", "period", "generic", "subject", "named", "thing",
                "title", "on", "quoted", "about", "for"}:
                return words, "number", _between(2, 90)
            return words, role, maker
    if kind in ("integer", "number"):
        return words, "number", _between(2, 90)
    return words, "unknown", None


def sayable(words, role, about):
    """Whether a person would say the parameter's name, where it has to be said: `lid` and `platecodeloc` mean nothing.

    A long word is one only if the document `about` the parameter has it too; else it is several, run together.
    """
    known = about.lower()
    if any(len(word) > 10 and not re.search(rf"\b{re.escape(word)}\b", known) for word in words.split()):
        return False
    if role not in {"generic", "number", "unknown", "named"}:
        return 0 < len(words.split()) <= 4
    return 0 < len(words.split()) <= 3 and all(len(word) > 3 or word in _SHORT for word in words.split())
