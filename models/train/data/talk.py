"""Requests that need no tool: greetings, opinions, advice, things everyone could tell, and writing.

Subjects that tools are commonly made for (weather, prices, jokes, recipes, translation, sums) are left out: of a
catalogue that has such a tool they would be false.
"""

from .seeds import generator

_THINGS = (
    "friendship", "autumn", "the sea at night", "growing older", "a lost umbrella", "learning to ride a bicycle",
    "my grandmother's kitchen", "moving to a new town", "patience", "an old lighthouse", "the first snow", "Mondays",
    "a shy robot", "two rival bakers", "forgiveness", "a train that never arrives", "moonlight", "honesty", "silence",
    "a garden in spring", "small kindnesses", "courage", "a cat who thinks it's a king", "homesickness", "dreams",
    "a forgotten song", "the last day of school", "a tired superhero", "thunderstorms", "long walks",
    "a stubborn mountain goat", "nostalgia", "teamwork", "a paper boat", "waiting", "curiosity", "a wandering tailor",
    "rivers", "a library with one book", "early mornings",
)
_WHYS = (
    "the sky is blue", "leaves change colour in autumn", "we yawn", "ice floats on water", "the moon has phases",
    "cats purr", "bread rises", "we dream", "rainbows have curved shapes", "the sea is salty", "onions make us cry",
    "birds fly in a V shape", "metal feels colder than wood", "the days get shorter in winter",
    "soap gets things clean", "people get hiccups", "magnets attract iron", "echoes happen", "stars twinkle",
    "we feel dizzy after spinning", "popcorn pops", "mirrors swap left and right", "time zones exist",
    "glass is transparent",
)
_IDEAS = (
    "supply and demand", "photosynthesis", "recursion", "the Renaissance", "natural selection", "opportunity cost",
    "the placebo effect", "irony", "democracy", "gravity", "the water cycle", "confirmation bias", "plate tectonics",
    "existentialism", "compound words", "the scientific method", "empathy", "a metaphor", "the greenhouse effect",
    "feudalism", "a black hole", "entropy", "game theory", "stoicism", "the industrial revolution", "minimalism",
    "a hash table", "passive voice", "object-oriented programming", "osmosis", "the Cold War", "utilitarianism",
    "a vaccine", "the speed of light",
)
_PAIRS = (
    ("cats", "dogs"), ("tea", "coffee"), ("the mountains", "the beach"), ("reading", "watching films"),
    ("city life", "country life"), ("early mornings", "late nights"), ("working alone", "working in a team"),
    ("handwriting", "typing"), ("summer", "winter"), ("being kind", "being right"),
    ("fiction", "non-fiction"), ("planning", "improvising"), ("a big party", "a quiet dinner"), ("trains", "planes"),
    ("tabs", "spaces"), ("studying abroad", "staying home"), ("renting", "owning"), ("texting", "calling"),
)
_TROUBLES = (
    "I keep procrastinating on my thesis", "I feel nervous before presentations", "my roommate never cleans up",
    "I find it hard to say no", "I had an argument with my sister", "I can't seem to make friends in my new city",
    "I feel stuck in my career", "I get bored halfway through books", "my best friend is moving away",
    "I'm too hard on myself", "I have trouble listening in meetings", "my team never speaks up",
    "I can't decide whether to go back to school", "I forget people's names all the time",
    "my neighbour plays loud music", "I feel guilty when I rest", "I always interrupt people",
    "I lose motivation in winter", "I don't know how to apologise to a friend", "I keep comparing myself to others",
    "I feel shy at parties", "my kids don't want to go to bed", "I get distracted by my phone",
    "I'm afraid of failing my exam",
)
_QUESTIONS = (
    "is it ever right to lie", "what makes a life meaningful", "can people really change",
    "is perfect fairness possible", "do animals feel joy the way we do", "would you want to live forever",
    "is art useful", "what makes a good teacher", "why do people fall in love", "is it better to be feared or loved",
    "does free will exist", "what makes somebody brave", "should everyone learn to code", "can money make people happy",
    "what is beauty", "why do we need rules", "is silence a kind of answer",
    "what would you do with one extra hour a day", "are we alone in the universe", "do good intentions matter",
    "what makes a city feel like home", "is boredom good for us", "should we forgive everything",
    "what is the best thing about being a child", "why do we keep old things",
)
_GREETINGS = (
    "hi", "hello there", "hey", "good morning", "good evening", "how are you today", "what's up", "nice to meet you",
    "thanks, that was helpful", "thank you so much", "ok great", "never mind, I figured it out", "cool, thanks",
    "bye for now", "see you tomorrow", "sounds good", "you're the best", "haha that's funny", "I'm bored",
    "I'm so tired today", "who are you", "what can you do", "are you a robot", "do you have feelings",
    "what's your name", "can you keep a secret", "do you ever sleep", "tell me about yourself", "do you remember me",
    "what do you like to talk about", "yes please", "no, that's all", "let me think about it", "wait a second",
    "that's not what I meant", "can we just chat for a bit", "happy Friday", "wish me luck", "I got the job!",
    "it's my birthday", "I just needed to vent", "you made my day", "sorry, wrong window", "ok", "hmm", "are you there",
    "let's start over", "I disagree with you", "fair enough", "good point",
)
_FORMS = (
    "a short poem", "a haiku", "a limerick", "a two-paragraph story", "a bedtime story", "a fairy tale",
    "a song chorus", "a short monologue", "an opening line for a novel", "a diary entry", "a fable with a moral",
    "a dramatic scene", "a toast", "a letter",
)
_FOR = (
    "a ten-year-old", "my grandmother", "a complete beginner", "a busy manager", "someone who hates jargon",
    "a curious teenager", "a room full of artists", "my little brother",
)
_WRITING = (
    "Write {f} about {t}.", "Can you write {f} about {t}?", "Compose {f} on {t}", "I'd like {f} about {t}, please.",
    "Make up {f} about {t}, and keep it light.", "write me {f} on the theme of {t}",
    "{f} about {t}, in an old-fashioned voice", "Could you come up with {f} where {t} plays a part?",
)
_EXPLAINING = (
    "Explain {i} in simple words.", "What is meant by {i}?", "Explain {i} to {w}.",
    "How would you describe {i} to {w}?", "can you explain {i} like I'm five",
    "In one paragraph, what is {i} all about?", "What's a good analogy for {i}?",
    "I never understood {i}. Help me see the idea.", "why does {i} matter",
    "Give me an intuition for {i}, no formulas.",
)
_WONDERING = (
    "Why is it that {y}?", "I've always wondered why {y}.", "Explain to {w} why {y}.", "do you know why {y}",
    "My kid asked me why {y}. What do I say?", "Is there a simple reason why {y}?",
)
_CHOOSING = (
    "Do you prefer {a} or {b}?", "What do you think is better, {a} or {b}?", "{a} or {b}? Pick one and defend it.",
    "Make the case for {a} over {b}.", "why do some people like {b} more than {a}",
    "Let's debate: {a} versus {b}. You take {b}.",
)
_ADVISING = (
    "{x}. What should I do?", "{x}. Any advice?", "{x} and I don't know how to deal with it.",
    "Be honest with me: {x}. Is that normal?", "{x}, how do other people cope with that?",
    "Can I talk to you about something? {x}.", "{x}. How do I get past that?",
)
_MUSING = (
    "{q}?", "What do you think, {q}?", "Philosophically speaking, {q}?", "Let's discuss: {q}?",
    "I was lying awake wondering: {q}?", "In your opinion, {q}?", "How would a philosopher answer this: {q}?",
)
_IMAGINING = (
    "Imagine {t} could talk. What would it say?", "Pretend you're a pirate and tell me what you think of {t}.",
    "If {t} were a colour, which one would it be and why?", "Brainstorm five book titles about {t}.",
    "Think of a clever name for a book club devoted to {t}.", "What does {t} mean to you?",
    "Let's role-play: you are a wise old sailor and I ask you about {t}.",
    "What are some themes that go well with {t} in an essay?",
    "Finish this sentence: nothing is quite like {t}, because", "Which feelings do people connect with {t}?",
)
_SHAPES = (
    "writing", "explaining", "explaining", "wondering", "choosing", "advising", "musing", "imagining", "greeting",
)


def talk(number, seed):
    """The `number`-th request that needs no tool."""
    rng = generator(seed, "talk", number, "no_tool")
    shape = rng.choice(_SHAPES)
    thing, idea, why, who = rng.choice(_THINGS), rng.choice(_IDEAS), rng.choice(_WHYS), rng.choice(_FOR)
    a, b = rng.sample(rng.choice(_PAIRS), 2)
    forms = {
        "writing": lambda: rng.choice(_WRITING).format(f=rng.choice(_FORMS), t=thing),
        "explaining": lambda: rng.choice(_EXPLAINING).format(i=idea, w=who),
        "wondering": lambda: rng.choice(_WONDERING).format(y=why, w=who),
        "choosing": lambda: rng.choice(_CHOOSING).format(a=a, b=b),
        "advising": lambda: rng.choice(_ADVISING).format(x=rng.choice(_TROUBLES)),
        "musing": lambda: rng.choice(_MUSING).format(q=rng.choice(_QUESTIONS)),
        "imagining": lambda: rng.choice(_IMAGINING).format(t=thing), "greeting": lambda: _greeting(rng),
    }
    text = forms[shape]()
    text = text[0].upper() + text[1:] if rng.random() < 0.8 else text
    if rng.random() < 0.2 and shape != "greeting":
        text = rng.choice(("Hey, ", "Quick one: ", "No need to look anything up. ", "Just between us: ", "So, ",
            "Out of curiosity: ", "I'm in a strange mood today. ")) + text
    return text


def _greeting(rng):
    words = rng.sample(_GREETINGS, rng.choice((1, 1, 2)))
    joined = rng.choice((", ", ". ", " - ", "! ")).join(words)
    return joined + rng.choice(("", "", "!", ".", " :)"))
