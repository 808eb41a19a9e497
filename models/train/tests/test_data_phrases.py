"""Documents to deeds, deeds to requests: the boundaries that make them read like speech."""

import unittest

from fixtures import TEXT, tool

from data import filled, implied, noise, phrases, several, talk, wrap
from data.deed import Deed, deeds
from data.document import is_english, sentences
from data.kinds import Subject
from data.product import product
from data.seeds import fraction, generator
from data.sets import Tool
from data.values import Value, value_of
from data.verbs import gerund, third
from data.words import core, fold, split


def made(name, description, server=None, properties=None, required=(), title=None, set_name="t"):
    entry = tool(name, name, description, server, properties, required)
    return Tool(f"{set_name}/{name}", name, description, entry["input_schema"], server, set_name, "MIT", name, title)


class Documents(unittest.TestCase):
    def test_the_deed_of_a_description(self):
        def check(description, expected, name="x"):
            found = deeds(made(name, description))
            self.assertEqual(str(found[0]) if found else None, expected, description)

        check("Creates a new card on a board.\n\nArgs:\n    title: what it says", "create a new card on a board")
        check("This tool allows you to delete a card.", "delete a card")
        check("This endpoint returns back all news about boats", "return all news about boats")
        check("Fetches the price of a given ticker using the RapidAPI service.", "fetch the price of a ticker")
        check("Get details of a specific board by its ID", "get details of a board")
        check("[Mail operations] List the emails of a specified mailbox", "list the emails of a mailbox")
        check("Calculate the area of a circle given its radius.", "calculate the area of a circle")
        check("Analyzes the text and returns its mood", "analyze the text and return its mood")
        check("Find, hire, and manage remote writers", "find remote writers")
        check("Used to get your balance", "get my balance")
        check("Information about a single event", "get information about an event")
        check("Gibt die Uhrzeit für den Hafen und das Datum zurück", None)
        check("", "list boards", name="list_boards")
        check("", "search person", name="GET /search/person")
        check("asdf", None, name="fdfdf")

    def test_sentences_are_cut_at_sections_and_markup(self):
        self.assertEqual(sentences("**Reads** a file (text only). See [docs](http://x.y).\nReturns: the text"),
            ["Reads a file", "See docs"])
        self.assertEqual(sentences("Parameters:\n a: b"), ["a: b"])
        self.assertEqual(sentences(""), [])

    def test_other_languages_are_told(self):
        self.assertTrue(is_english("Get the weather of a city"))
        self.assertFalse(is_english("列出所有项目"))
        self.assertFalse(is_english("Retorna a lista de clientes para uma empresa"))

    def test_inflection(self):
        self.assertEqual([third(verb) for verb in ("create", "copy", "fetch", "play")],
            ["creates", "copies", "fetches", "plays"])
        self.assertEqual([gerund(verb) for verb in ("create", "get", "see", "open", "run")],
            ["creating", "getting", "seeing", "opening", "running"])

    def test_products(self):
        self.assertEqual(product(made("a", "", "x/todo-mcp", title="Todoist MCP Server")), "Todoist")
        self.assertEqual(product(made("a", "", "x/corkboard-mcp")), "Corkboard")
        self.assertIsNone(product(made("a", "", "x/weather-mcp-server")))
        self.assertIsNone(product(made("a", "", None)))


class Requests(unittest.TestCase):
    def test_values_stand_where_the_thing_is_named(self):
        def check(verb, rest, value, *expected):
            found = {filled.fill(Deed(verb, rest, rest), [value], generator(n))[0].rest for n in range(30)}
            self.assertLessEqual(found, set(expected))

        check("get", "the price of a ticker", Value("ticker symbol", "subject", "TSLA"), "the price of TSLA")
        check("get", "the weather for a city", Value("city", "place", "Oslo"), "the weather for Oslo")
        check("delete", "a card", Value("card id", "ident", "k9"), "card k9", "the card with id k9")
        check("get", "the items of a board", Value("board id", "called", "Plan"),
            'the items of the board called "Plan"', "the items of the board named Plan",
            'the items of the "Plan" board', "the items of the Plan board")
        check("get", "the boiling point at a pressure", Value("pressure", "number", "3"),
            "the boiling point at a pressure of 3")

    def test_silent_parameters_get_no_value(self):
        rng = generator(1)
        for name in ("cursor", "api_key", "page_size", "access_token", "format", "sortBy", "lid"):
            self.assertIsNone(value_of(name, TEXT, rng), name)
        self.assertIsNone(value_of("is_open", {"type": "boolean"}, rng))

    def test_values_come_from_the_schema_where_it_shows_some(self):
        self.assertEqual(value_of("state of matter", {"type": "string", "enum": ["solid"]}, generator(1)).text, "solid")
        shown = {value_of("mineral", {"type": "string", "description": "which one, e.g. quartz, or none"},
            generator(n)).text for n in range(5)}
        self.assertEqual(shown, {"quartz"})

    def test_questions_and_wishes_agree_in_number(self):
        lookup, many = Deed("retrieve", "the price of a boat", ""), Deed("list", "all boats in a harbour", "")
        asked = {phrases.question(lookup, generator(n)) for n in range(80)}
        self.assertIn("what is the price of a boat", asked)
        self.assertIn("what are all boats in a harbour", {phrases.question(many, generator(n)) for n in range(80)})
        for text in asked | {phrases.wish(lookup, generator(n)) for n in range(80)}:
            self.assertNotRegex(text, r"\b(the the|a the|to show me|to tell me|me me)\b")

    def test_typos_change_the_text_but_not_slots_and_values(self):
        for n in range(60):
            text = noise.typo("Show the cards of board <board_id> in /home/sam/notes.txt", generator(n))
            self.assertIn("<board_id>", text)
            self.assertIn("/home/sam/notes.txt", text)
            self.assertNotEqual(text, "Show the cards of board <board_id> in /home/sam/notes.txt")

    def test_several_asks_for_each_of_its_tools(self):
        tools = [made("list_boats", "List all boats"), made("rent_boat", "Rent a canoe for a day"),
            made("send_invoice", "Send an invoice to the harbour")]
        subjects = [Subject(one, tuple(deeds(one)), None, words=frozenset(core(one.name))) for one in tools]
        for n in range(60):
            for text in (several.steps(subjects, generator(n)), several.story(subjects, generator(n))):
                for word in ("boats", "canoe", "invoice"):
                    self.assertIn(word, text)

    def test_a_name_where_an_id_is_wanted_needs_the_look_up_too(self):
        lists = made("list_boards", "List all boards", "c", {})
        gets = made("get_items", "Get the items of a board", "c", {"board_id": TEXT}, ["board_id"])
        subjects = [Subject(one, tuple(deeds(one)), None) for one in (lists, gets)]
        text, finder = several.hop(subjects[1], subjects, generator(1))
        self.assertEqual(finder.tool.name, "list_boards")
        self.assertNotIn(" id", text)
        self.assertIsNone(several.hop(subjects[0], subjects, generator(1)))

    def test_what_is_taken_for_granted_needs_a_tool_too(self):
        tools = [made(name, text) for name, text in (("write_file", "Write text to a file"), ("saveFile", "Save a file"),
            ("write_memory_bank_file", "Write a file of the memory bank"), ("list_boats", "List all boats"))]
        subjects = [Subject(one, tuple(deeds(one)), None, words=frozenset(core(one.name))) for one in tools]
        pairs = list(implied.made(tools, subjects, 1))
        writers = {tools[0].id, tools[1].id}
        self.assertEqual({pair.relevant[-1] for pair in pairs}, writers)
        for pair in pairs:
            # The other one would do as well, and no slot is left open.
            self.assertEqual({pair.relevant[-1], *pair.also}, writers)
            self.assertNotRegex(pair.query, r"[{}]")
            if len(pair.relevant) == 2:
                self.assertIn("boats", pair.query.lower())
        self.assertEqual({len(pair.relevant) for pair in pairs}, {1, 2})
        self.assertLess(len(list(implied.made(tools, subjects, 1, 0.1))), len(pairs))
        self.assertEqual(pairs, list(implied.made(tools, subjects, 1)))

    def test_conversation_keeps_the_request(self):
        for n in range(40):
            self.assertIn("the tide table", wrap.around("show me the tide table", "tides", 1, 1, generator(n)))
        self.assertEqual([wrap.mark(text) for text in ("can you help", "what I need is x", "what is x")],
            ["?", ".", "?"])

    def test_talk_is_varied_and_stays_put(self):
        texts = [talk.talk(n, 1) for n in range(400)]
        self.assertEqual(texts, [talk.talk(n, 1) for n in range(400)])
        self.assertGreater(len(set(texts)), 250)


class Words(unittest.TestCase):
    def test_identifiers_split_as_in_the_router(self):
        for text, expected in (("createIssue_v2", "create Issue v 2"), ("HTTPServer", "HTTP Server"),
            ("getHTTPResponseCode", "get HTTP Response Code"), ("ABc", "A Bc"),
            ("parse-json/to.XML", "parse json to XML")):
            self.assertEqual(split(text), expected)

    def test_folding_and_core(self):
        self.assertEqual(fold("What's  UP, Doc?!"), "what s up doc")
        self.assertEqual(core("getFilmDetails"), core("Retrieve information about films"))

    def test_fractions_are_even_and_stay_put(self):
        self.assertEqual(fraction("a", 1), fraction("a", 1))
        mean = sum(fraction("x", n) for n in range(2000)) / 2000
        self.assertAlmostEqual(mean, 0.5, delta=0.03)


if __name__ == "__main__":
    unittest.main()
