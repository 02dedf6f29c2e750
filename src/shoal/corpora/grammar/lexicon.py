"""The words that stories are told with, by what they are for: things, places, people, feelings, what one does.

All of them are words that a child of three or four knows; `words.txt` lists every word that a story may hold.
"""

from __future__ import annotations

from importlib.resources import files


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(separator))


GIRLS = _words(
    "Amy Anna Bella Cara Daisy Ella Emma Eva Grace Ivy Jane Kate Lily Lola Lucy Maya Mia Molly Nina Nora Rose Ruby "
    "Sally Sara Sophie Sue Tess Tina Zoe"
)
BOYS = _words(
    "Adam Alex Ben Billy Bob Carl Dan Eli Finn Fred Henry Jack Jake Joe John Leo Luke Max Mike Nick Noah Oscar Paul "
    "Peter Ray Sam Ted Tim Toby Tom"
)
PETS = _words("Bobo Bubbles Coco Dot Fluffy Hoppy Momo Nibbles Patch Pip Pepper Scout Spot Sunny Tiny Wiggles")
GROWN = {
    "Mom": "she", "Dad": "he", "Grandma": "she", "Grandpa": "he", "the farmer": "he", "the teacher": "she",
    "the baker": "he", "the nurse": "she", "the old man": "he", "the old woman": "she",
}  # fmt: skip
"""People with no name of their own, and their pronoun."""

FAMILY = ("Mom", "Dad", "Grandma", "Grandpa")
ANIMALS = _words(
    "bear bee bird bunny cat chick cow deer dog dragon duck elephant fox frog goat hen horse kitten lamb lion monkey "
    "mouse owl panda pig puppy rabbit sheep squirrel tiger turtle"
)
HARD = _words(
    "ball bell boat box brush bucket button cup drum flute hammer key lamp mirror pan pencil plate pot puzzle ring "
    "robot rock shell shovel spoon stick stone toy truck train car clock coin crown bowl bottle basket bike"
)
SOFT = _words(
    "bag balloon blanket book card coat doll dress feather flag flower glove hat kite leaf letter map mask mitten "
    "pillow ribbon rope sack scarf shirt shoe sock string towel umbrella"
)
FOODS = _words(
    "apple banana bun cake carrot cherry cookie egg melon muffin nut orange pancake peach pear pie pizza plum potato "
    "sandwich tomato"
)
THINGS = HARD + SOFT
COLORS = _words("black blue brown green gold orange pink purple red silver white yellow")
LOOKS = _words(
    "big bright clean cool cute dirty funny heavy huge light little long lovely new nice old pretty round shiny short "
    "small smooth soft special strange striped thick thin tiny warm wet"
)
TASTES = _words("big fresh hot little nice round small soft sweet tasty warm yummy")
TRAITS = _words(
    "brave busy calm careful cheerful clever curious friendly gentle good happy helpful kind lazy little lonely "
    "merry nice noisy playful polite proud quick quiet shy silly small smart strong sweet tiny young"
)
GLAD = _words("calm excited glad happy hopeful joyful pleased proud thankful")
SAD = _words("angry bad cross hurt lonely mad sad sorry upset")
UNSURE = _words("afraid confused curious nervous scared surprised worried")
PLACES = {
    "park": "in", "garden": "in", "forest": "in", "woods": "in", "beach": "at", "farm": "on", "lake": "at",
    "pond": "by", "river": "by", "hill": "on", "school": "at", "shop": "in", "town": "in", "zoo": "at", "barn": "in",
    "field": "in", "yard": "in", "playground": "at", "market": "at", "meadow": "in", "library": "in", "street": "on",
    "bridge": "by", "castle": "in", "cave": "in", "sea": "by",
}  # fmt: skip
"""Places and what stands before them: in the park, at the beach."""

SPOTS = _words(
    "under the bed|under the bench|under the bridge|under the bush|under the chair|under the leaves|"
    "under the old tree|under the swing|under the table|under the rug|behind the bench|behind the big rock|"
    "behind the big tree|behind the bush|behind the door|behind the fence|behind the gate|behind the house|"
    "behind the shed|behind the wall|in the tall grass|in the mud|in the sand|in the bush|in the hole|in the hay|"
    "in the nest|in the puddle|in the snow|in the sandbox|on the roof|on the top shelf|on the stairs|on the path|"
    "on the wall|on the branch|on the hill|on the steps|next to the fence|next to the gate|next to the road|"
    "next to the slide|next to the well|next to the tent|next to the old log|near the bus stop|near the fountain|"
    "near the hen house|near the pool|near the stream",
    "|",
)
"""Where a thing can lie, and what stands before it."""

VERBS = {
    "bake": "baked", "clap": "clapped", "clean": "cleaned", "climb": "climbed", "cook": "cooked", "count": "counted",
    "crawl": "crawled", "dance": "danced", "dig": "dug", "draw": "drew", "fish": "fished", "giggle": "giggled",
    "hike": "hiked", "hop": "hopped", "hum": "hummed", "hunt": "hunted", "jog": "jogged", "jump": "jumped",
    "laugh": "laughed", "listen": "listened", "march": "marched", "nap": "napped", "paint": "painted",
    "play": "played", "pretend": "pretended", "race": "raced", "read": "read", "rest": "rested", "ride": "rode",
    "roll": "rolled", "run": "ran", "shout": "shouted", "sing": "sang", "skate": "skated", "skip": "skipped",
    "sleep": "slept", "slide": "slid", "spin": "spun", "splash": "splashed", "stretch": "stretched", "sweep": "swept",
    "swim": "swam", "swing": "swung", "talk": "talked", "tumble": "tumbled", "wait": "waited", "walk": "walked",
    "watch": "watched", "wave": "waved", "whisper": "whispered", "whistle": "whistled", "wiggle": "wiggled",
    "work": "worked", "write": "wrote",
}  # fmt: skip
"""What one does, now and then: base form and past."""

RECIPES = {
    "kite": ("stick", "string"), "boat": ("box", "stick"), "crown": ("ribbon", "shell"), "doll": ("sock", "button"),
    "drum": ("pot", "stick"), "mask": ("feather", "string"), "flag": ("stick", "shirt"), "robot": ("box", "button"),
    "car": ("box", "bottle"), "puzzle": ("card", "pencil"), "hat": ("ribbon", "feather"), "bell": ("cup", "spoon"),
}  # fmt: skip
"""What can be made, and of what."""

SIGHTS = _words(
    "ants|apples|balloons|bees|berries|big boats|birds|black cats|blue flowers|bottles|boxes|branches|bubbles|bugs|"
    "buses|butterflies|cars|carts|chairs|children|clouds|cows|cupcakes|daisies|deer|dogs|dolphins|donkeys|ducks|"
    "fences|fish|flags|flies|footprints|frogs|geese|grapes|green hills|hats|horses|houses|ladybugs|lambs|lamps|"
    "lights|lizards|mountains|mushrooms|nests|nuts|old trees|paintings|parrots|peas|pebbles|penguins|pigeons|"
    "pigs|pine trees|planes|ponies|pumpkins|puppies|rainbows|red roses|roofs|rocks|seeds|sheep|shells|ships|"
    "shops|snails|spiders|squirrels|stairs|stars|sticks|stones|strawberries|swans|swings|tents|towers|tractors|"
    "trains|trucks|tulips|wagons|waves|whales|windows|worms|yellow leaves|zebras",
    "|",
)
SOUNDS = _words("deep funny gentle happy high loud low merry quiet sad scary soft strange sweet tiny")
SOURCES = _words(
    "attic barn bath bell box church closet clock corner creek drum engine fire hall kitchen lake oven pipe pond radio "
    "river roof sea tower train tree water wind window woods"
)
BODY = _words("arms cheeks ears eyes feet fingers hands knees legs toes")
CALLINGS = _words(
    "baker builder captain clown cook cowboy dancer doctor driver farmer fisherman hero hunter king knight mermaid "
    "nurse painter pilot pirate prince princess queen robot sailor singer teacher vet wizard"
)
SCARY = _words("bear dragon ghost giant lion monster snake tiger wolf")
SMALL = _words("bird bunny cat chick duck frog hen kitten lamb mouse puppy squirrel turtle")


def article(words: str) -> str:
    """The words with ``a`` or ``an`` before them."""
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def child_words() -> frozenset[str]:
    """Every word, in lower case, that a story may hold, names left out: the list `words.txt` beside this module."""
    return frozenset(files(__package__).joinpath("words.txt").read_text(encoding="utf-8").split())
