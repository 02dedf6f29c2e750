"""Forms for hints and turns of a story, for the weather and the time, and for what there is to see."""

from __future__ import annotations

SCENES = {
    "hint_dream": """
        At night, {a} had a dream about {x}.
        {A} drew a picture of {x}, and did not know why.
        {A} had a funny feeling that {x} would be important that day.
        {A} saw a cloud that looked just like {x}.
        "I dreamed of {x}," said {a}.
        """,
    "think": """
        {A} heard a noise {s} and thought it was a {k}.
        {A} saw a dark shape {s} that looked like a {k}.
        {A} saw two eyes {s} and was sure that it was a {k}.
        Something moved {s}, and {a} thought of a {k}.
        "There is a {k} {s}!" cried {a}.
        "Did you hear that {s}? I think it is a {k}!" said {a}.
        """,
    "twist": """
        But it was not a {k} at all. It was only a {r} {l}!
        What a surprise! It was no {k}, it was just a {r} {l}!
        But out came a {r} {l}! There was no {k}.
        It was never a {k}. It was a {r} {l} that wanted to play!
        "You are not a {k}, you are just a {r} {l}!" said {a}.
        "It is just a {r} {l}, and not a {k}!" laughed {a}.
        """,
    "twist_thing": """
        But the {t} was not what it seemed. It was full of candy!
        But when {a} shook the {t}, a gold coin fell out!
        Then something strange happened. The {t} began to sing!
        Then the {t} began to glow, for it was magic all along!
        Then the {t} opened by itself, and a tiny bird flew out!
        "The {t} can talk!" said {a}, and it was true!
        """,
    "twist_who": """
        Then came a surprise. {B} had wanted to give {a} a party all along!
        And then {b} told a secret. It was {b} who had helped {a} in the dark!
        Then {b} took off a mask. {B} was really a {k}!
        "I have a secret, {a}," said {b}. "I am really a {k}!"
        """,
    "sun": """
        The sun was bright and the sky was blue.
        It was a warm and sunny day.
        The sun was up, and birds were singing.
        It was a lovely morning.
        The flowers smelled sweet in the sun.
        White clouds were in the blue sky.
        Bees buzzed around the flowers.
        The grass was green and soft.
        There was not a cloud in the sky.
        It was a hot day.
        """,
    "rain": """
        It began to rain.
        Rain fell from the gray sky.
        Big drops of rain came down.
        A storm came, and the wind blew hard.
        The sky got dark, and it rained and rained.
        Boom! There was thunder in the sky.
        The wind blew leaves all around.
        """,
    "snow": """
        It was cold, and snow fell from the sky.
        The snow was white and soft.
        There was ice on the window.
        Everything was white with snow.
        It was a cold winter day.
        """,
    "dry": """
        {A} waited {s} until the rain stopped.
        {A} sat {s} and stayed dry.
        {A} found a dry place {s}.
        "It is dry {s}," said {a}, and sat down.
        """,
    "see": """
        {A} saw a {r} {k} go by.
        {A} waved at a {r} {k}.
        {A} watched a {r} {k} for a while.
        A {r} {k} ran past {a}.
        "Look, a {r} {k}!" said {a}.
        "Hello, {r} {k}!" {a} called.
        """,
    "notice": """
        {A} looked at the {c} sky.
        {A} smelled a {c} flower.
        {A} threw a {c} stone into the water.
        {A} picked a {c} berry.
        {A} saw a {c} house and a {e} door.
        {A} followed a {c} butterfly with {e} spots.
        {A} looked at a {c} leaf and a {e} one.
        {A} sang a song about a {c} bird with {e} wings.
        """,
    "afraid": """
        {A} was afraid to {v}.
        {A} did not dare to {v}.
        {A} thought that it was scary to {v}.
        {A} could not {v}, because {he} was too scared.
        "I am too scared to {v}," said {a}.
        "What if I can not {v}?" asked {a}.
        """,
    "brave": """
        {A} took a deep breath and {d}.
        {A} closed {his} eyes, counted, and {d}.
        {A} was brave now and {d} like never before.
        {A} held the hand of {b} and {d}.
        "I can do it!" said {a}, and {he} {d}.
        {B} said, "You can do it, {a}!" And {a} {d}.
        """,
    "stuck": """
        {A} was stuck {s}.
        {A} could not get out, because {he} was stuck {s}.
        {A} had climbed too far and was stuck {s}.
        "Help! I am stuck {s}!" cried {a}.
        """,
    "free": """
        {A} used the {t} to free {b}.
        {A} held out the {t}, and {b} was free.
        With the {t}, {a} got {b} out.
        {A} pushed with the {t} until {b} was free.
        "Hold on to the {t}!" said {a}, and {b} was free.
        """,
    "win": """
        {A} won the race against {b}.
        {A} was faster than {b} and won the race.
        {A} came in first, and {b} came in after {a}.
        "I won!" shouted {a}, and {b} clapped.
        """,
    "race": """
        {A} asked {b} to run a race to the {p}.
        {A} and {b} had a race to the {p}.
        {A} wanted to race {b} to the {p}.
        "Let's race to the {p}!" {a} said to {b}.
        "I am faster than you, {b}! Let's race to the {p}!" said {a}.
        """,
    "leave": """
        {A} went away and did not come back.
        {A} had to move to a town far away.
        {A} said goodbye and was gone.
        "I have to go away now," said {a}. "Goodbye!"
        """,
    "warn": """
        {B} told {a} not to go to the {p}.
        {B} said that {a} must not play {at} the {p}.
        "Do not go to the {p}, {a}," said {b}.
        "Please stay away from the {p}, {a}," said {b}.
        """,
    "hurt": """
        {A} fell down {at} the {p} and hurt {his} leg.
        {A} slipped {at} the {p} and hurt {his} knee.
        {A} bumped {his} head {at} the {p}.
        "Ouch! My leg hurts!" cried {a} {at} the {p}.
        """,
    "home": """
        {A} went home.
        {A} walked back home.
        {A} ran home to {his} family.
        It was late, so {a} went home.
        It was time to go home, and {a} went to bed.
        "It is late. I have to go home," said {a}.
        """,
    "close": """
        {A} and {b} were friends for a long time.
        {A} and {b} were best friends from that day on.
        {A} told {b} all about it, and they laughed.
        {A} fell asleep with a smile and dreamed of {b}.
        {A} and {b} hugged and said good night.
        "This was the best day ever," {a} said to {b}.
        "Can we play again soon?" asked {b}. "Yes, we can!" said {a}.
        """,
    "close_bad": """
        {A} cried and went to bed.
        {A} sat alone and cried.
        {A} did not smile for the rest of the day.
        Nobody could cheer up {a}.
        {A} did not want to play any more.
        "This is a bad day," {a} said.
        """,
}
"""Forms by kind, a line each."""
