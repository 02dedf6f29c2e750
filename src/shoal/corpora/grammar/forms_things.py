"""Forms for what happens with things: who has them, finds them, loses them, gives them."""

from __future__ import annotations

THINGS_DONE = {
    "have": """
        {A} had {x}.
        {A} had {x} that {he} loved very much.
        {A} had {x} at home.
        {A} kept {x} in {his} room.
        {A} always took {x} along.
        {A} got {x} for {his} birthday.
        {A}'s favorite thing was {x}.
        {A} was the owner of {x}.
        """,
    "want": """
        {A} wanted {x}.
        {A} wished for {x}.
        {A} needed {x}.
        All {a} could think of was {x}.
        {A} wanted {x} more than anything in the world.
        {A} did not have {x}, but {he} wanted one.
        "I wish I had {x}," said {a}.
        "I really need {x}," said {a}.
        "If only I had {x}!" {a} said.
        """,
    "find": """
        {A} found {x} {s}.
        {A} saw {x} {s} and picked it up.
        There was {x} {s}, and {a} picked it up.
        {A} looked {s} and found {x}.
        {A} pulled out {x} that lay {s}.
        {A} took one more step and saw {x} {s}, so {he} picked it up.
        "Look, {x}!" said {a}, who found it {s}.
        "What is this {s}?" asked {a}. It was {x}, and {he} picked it up.
        """,
    "find_again": """
        {A} found the {t} {s}.
        {A} looked {s}, and there was the {t}!
        {A} saw the {t} {s} and got it back.
        The {t} was {s}, and {a} picked it up.
        {A} looked once more, and the {t} was {s}, so {he} got it back.
        "Here is the {t}!" said {a}, who found it {s}.
        "Look {s}! It is the {t}!" said {a}, and {he} picked it up.
        """,
    "search": """
        {A} looked for the {t} {s}, but it was not there.
        {A} looked {s}, but there was no {t}.
        {A} searched {s}, but did not see the {t}.
        There was no {t} {s} when {a} looked there.
        {A} ran to look {s}, but the {t} was not there.
        "Is the {t} {s}?" asked {a}, but it was not there.
        """,
    "lose": """
        {A} lost the {t} {at} the {p}.
        {A} dropped the {t} {at} the {p} and could not find it.
        The {t} was gone, because {a} had dropped it {at} the {p}.
        {A} left the {t} {at} the {p}, and now it was gone.
        {A} looked in {his} pocket, but the {t} had fallen out {at} the {p}.
        "Oh no! I lost the {t} {at} the {p}!" said {a}.
        "Where is the {t}?" cried {a}, who had dropped it {at} the {p}.
        """,
    "give": """
        {A} gave the {t} to {b}.
        {A} gave {b} the {t}.
        {A} handed the {t} to {b}.
        {A} let {b} keep the {t}.
        {A} put the {t} into the hands of {b}.
        "Here is the {t}, {b}. It is for you," said {a}.
        "You can have the {t}, {b}," said {a}.
        {A} said to {b}, "Take the {t}. It is yours now."
        """,
    "take": """
        {A} grabbed the {t} from {b}.
        {A} took the {t} from {b} and did not give it back.
        {A} snatched the {t} away from {b}.
        {A} took the {t} when {b} did not look.
        "Give me the {t}!" said {a}, and took it from {b}.
        "The {t} is mine now, {b}!" said {a}, and took it away.
        """,
    "swap": """
        {A} gave the {t} to {b} and got {y} for it.
        {A} traded the {t} for {y} with {b}.
        {A} swapped with {b}: the {t} for {y}.
        {A} let {b} have the {t}, and {b} let {a} have {y}.
        "I will give you the {t} for {y}," said {a}, and {b} said yes.
        {A} asked {b}, "Do you want the {t} for {y}?" "It is a deal," said {b}.
        """,
    "ask_for": """
        {A} asked {b} for {x}.
        {A} asked if {b} had {x}.
        {A} told {b} about wanting {x}.
        "Do you have {x}, {b}?" asked {a}.
        "{b}, may I please have {x}?" asked {a}.
        {A} said to {b}, "I am looking for {x}."
        """,
    "price": """
        {A} said no, but {he} would swap it for {x}.
        But {a} wanted {x} first.
        {A} wanted {x} for it.
        "Yes, but first bring me {x}," said {a}.
        {A} said, "I will give it to you if you bring me {x}."
        "You may have it for {x}," said {a}.
        """,
    "break": """
        {A} broke the {t}.
        {A} fell, and the {t} broke.
        {A} stepped on the {t}, and it broke.
        The {t} broke when {a} bumped into it.
        {A} played too hard, and the {t} broke.
        Crack! {A} broke the {t} by accident.
        "Oh no, I broke the {t}!" cried {a}.
        "It was me. I broke the {t}," said {a}.
        """,
    "tear": """
        {A} tore the {t}.
        {A} pulled too hard and tore the {t}.
        {A} fell, and the {t} got torn.
        The {t} tore when {a} pulled at it.
        Rip! {A} tore the {t} by accident.
        "Oh no, I tore the {t}!" cried {a}.
        "It was me. I tore the {t}," said {a}.
        """,
    "fix": """
        {A} fixed the {t}.
        {A} worked on the {t} until it was as good as new.
        {A} took some tape and fixed the {t}.
        With a little glue, {a} fixed the {t}.
        {A} made the {t} whole again.
        "I can fix the {t}," said {a}, and it was soon as good as new.
        """,
    "make": """
        {A} made {x} out of the {t} and the {u}.
        {A} used the {t} and the {u} to make {x}.
        {A} put the {t} and the {u} together, and it became {x}.
        With the {t} and the {u}, {a} made {x}.
        "Look, the {t} and the {u} are {x} now!" said {a}.
        """,
    "parts": """
        {A} wanted to make {x}, and for that {he} needed {y} and {z}.
        To make {x}, {a} needed {y} and {z}.
        {A} had a plan: with {y} and {z}, {he} could make {x}.
        "I want to make {x}, so I need {y} and {z}," said {a}.
        """,
    "hide": """
        {A} hid the {t} {s}.
        {A} put the {t} {s} so that nobody could see it.
        {A} kept the {t} {s} as a secret.
        "Nobody will find the {t} {s}," said {a}, and {he} put it there.
        """,
    "eat": """
        {A} ate {o}.
        {A} was hungry and ate {o}.
        {A} sat down and ate {o}.
        Yum! {A} ate {o}.
        {A} had {o} for lunch.
        "Yummy, {o}!" said {a}, and ate it all.
        """,
    "feed": """
        {A} gave {o} to {b}, and {b} ate it.
        {A} let {b} eat {o}.
        {A} fed {b} {o}.
        "Are you hungry, {b}? Here is {o}," said {a}, and {b} ate it.
        """,
    "sad_for": """
        {A} was {f} because the {t} was gone.
        {A} was {f} because {he} missed the {t}.
        The {t} was gone, and that made {a} feel {f}.
        "I am {f} because the {t} is gone," said {a}.
        """,
    "sad_broke": """
        {A} was {f} because the {t} was broken.
        The {t} was broken, and that made {a} feel {f}.
        "I am {f} because the {t} is broken," said {a}.
        """,
    "sad_torn": """
        {A} was {f} because the {t} was torn.
        The {t} was torn, and that made {a} feel {f}.
        "I am {f} because the {t} is torn," said {a}.
        """,
    "glad_for": """
        {A} was {f} because {he} had the {t}.
        Having the {t} made {a} feel {f}.
        {A} held the {t} and felt {f}.
        "I am {f} because I have the {t}," said {a}.
        """,
}
"""Forms by kind, a line each."""
