"""Forms for small moments that colour a story: gestures, sights, sounds, games, favourites."""

from __future__ import annotations

MOMENTS = {
    "gesture": """
        {A} nodded.
        {A} took a deep breath.
        {A} sat down to think.
        {A} had an idea.
        {A} could not believe it.
        {A} looked up at the sky.
        {A} shook {his} head.
        {A} opened {his} eyes wide.
        {A} scratched {his} head.
        {A} did not know what to say.
        {A} stood very still.
        {A} took one step back.
        {A} put {his} hands on {his} tummy.
        {A} felt {his} heart beat fast.
        {A} yawned, for it had been a long day.
        {A} hugged {his} own knees.
        {A} blinked and looked again.
        "Oh!" said {a}.
        "Hmm, let me think," said {a}.
        """,
    "cheer": """
        {A} smiled a big smile.
        {A} clapped {his} hands.
        {A} jumped up and down.
        {A} laughed out loud.
        {A} turned around three times.
        {A} sang a little song.
        {A} danced on one leg.
        {A} threw {his} hat up high.
        {A} grinned from ear to ear.
        "What a day!" said {a}.
        "Yay!" shouted {a}.
        "Wow!" said {a}.
        """,
    "droop": """
        {A} wiped {his} nose.
        {A} looked at the ground.
        {A} had tears on {his} cheeks.
        {A} let {his} head hang low.
        {A} kicked a little stone.
        {A} went very quiet.
        {A} hid {his} face.
        "This is not fair," said {a}.
        "Why me?" asked {a}.
        "Leave me alone," said {a}.
        """,
    "sight": """
        {A} saw {n} on the way.
        {A} stopped to look at some {n}.
        {A} counted the {n}.
        {A} had never seen so many {n}.
        {A} drew {n} in the sand.
        {A} dreamed about {n} all day.
        {A} told a funny story about {n}.
        {A} walked past the {n}.
        There were {n} all around {a}.
        On the other side {a} saw {n}.
        "Look at all the {n}!" said {a}.
        "I like {n}," said {a}.
        """,
    "sound": """
        {A} heard a {q} sound from the {i}.
        {A} listened to the {i}, and it was {q}.
        A {q} noise came from the {i}, and {a} looked up.
        "The {i} is so {q}!" said {a}.
        """,
    "body": """
        {A} washed {his} {w}.
        {A} dried {his} {w} with a cloth.
        {A} rubbed {his} {w} and yawned.
        {A} had mud on {his} {w}, but did not mind.
        {A} got a kiss on {his} {w} from the wind, or so it felt.
        "My {w} feel funny," said {a}.
        """,
    "game": """
        {A} pretended to be a {j}.
        {A} wanted to be a {j} one day.
        {A} dressed up as a {j}.
        {A} sang like a {j} in the sun.
        {A} told everyone, "I am a {j}!"
        "When I grow up, I will be a {j}," said {a}.
        """,
    "favorite": """
        {A} liked the color {c} best.
        {A}'s favorite color was {c}.
        {A} wore something {c}, for it was the best color of all.
        "My favorite color is {c}," said {a}.
        """,
    "night": """
        The moon was round and bright.
        Stars came out one by one.
        It got dark, and the owls woke up.
        The night was quiet and cool.
        Crickets sang in the grass.
        A little light was on in the window.
        The whole town was asleep.
        Fireflies danced in the dark.
        """,
}
"""Forms by kind, a line each."""
