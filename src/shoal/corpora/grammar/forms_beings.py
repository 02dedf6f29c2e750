"""Forms for who there is, where they go, what they do, and how they feel."""

from __future__ import annotations

BEINGS = {
    "intro": """
        Once upon a time, there was a {r} {k} named {a}.
        Once there was a {r} {k} named {a}.
        There was once a {r} {k}, and {his} name was {a}.
        In a town far away lived a {r} {k} named {a}.
        One day, a {r} {k} named {a} woke up early.
        {A} was a {r} {k}.
        A long time ago, there lived a {r} {k} named {a}.
        This is the story of a {r} {k} named {a}.
        Everyone knew the {r} {k} named {a}.
        In a small house lived a {r} {k} called {a}.
        Once upon a time, a {r} {k} called {a} lived with {his} family.
        This is {a}, a {r} {k}.
        """,
    "friend": """
        {A} had a friend named {b}, who was a {r} {k}.
        {A}'s best friend was a {r} {k} named {b}.
        {A} liked to play with a {r} {k} named {b}.
        {A} knew a {r} {k} named {b}.
        {A} often played with {b}, a {r} {k}.
        Next door to {a} lived a {r} {k} named {b}.
        """,
    "meet": """
        {A} met a {r} {k} named {b}.
        {A} saw a {r} {k}, and the name of the {k} was {b}.
        A {r} {k} named {b} came to {a}.
        There {a} met {b}, a {r} {k}.
        A {r} {k} came up to {a} and said, "Hello! My name is {b}."
        "Hi, I am {b}," a {r} {k} said to {a}.
        {A} saw a {r} {k} and asked, "What is your name?" "My name is {b}," said the {k}.
        """,
    "live": """
        {A} lived with {his} family {at} the {p}.
        {A} had a cozy little home {at} the {p}.
        {A} lived {at} the {p}.
        {A}'s home was {at} the {p}.
        """,
    "like": """
        {A} loved to {v}.
        {A} liked to {v} every day.
        More than anything, {a} liked to {v}.
        Every morning {a} would {v} before breakfast.
        {A} wanted to {v} all day long.
        {A} was very good at one thing: {he} could {v}.
        "I love to {v}," {a} often said.
        """,
    "go": """
        {A} went to the {p}.
        {A} walked to the {p}.
        {A} ran all the way to the {p}.
        {A} took a trip to the {p}.
        {A} set off for the {p}.
        {A} could not wait to go to the {p}, and off {he} went.
        Off went {a} to the {p}.
        {A} put on {his} shoes and went to the {p}.
        {A} took the long road to the {p}.
        {A} hurried to the {p}.
        "I want to go to the {p}," said {a}, and off {he} went.
        "It is a good day to go to the {p}!" said {a}, and off {he} went.
        """,
    "go_with": """
        {A} went to the {p} with {b}.
        {A} and {b} went to the {p} together.
        {A} took {b} to the {p}.
        {A} walked to the {p} side by side with {b}.
        "Come with me to the {p}," said {a}. {b} said, "Yes!"
        {A} asked, "Shall we go to the {p}?" {b} smiled, and off they went.
        """,
    "do": """
        {A} {d} and was very busy.
        {A} {d} for a long time.
        {A} {d} until {he} was tired.
        {A} {d} all morning.
        {A} {d} a little and then sat down.
        First {a} {d}.
        {A} {d} as fast as {he} could.
        {A} {d} with a big smile.
        {A} {d} once, and then {he} {d} again.
        "Look, I can {v}!" said {a}, and {he} {d}.
        "Let me {v} a little," said {a}, and {he} {d}.
        """,
    "do_with": """
        {A} {d} with {b}.
        {A} and {b} {d} together.
        {A} and {b} {d} all afternoon.
        {A} {d} and {b} {d} too.
        {A} and {b} {d} until the sun went down.
        "Let's {v}!" said {a}. {b} said, "What a good idea!" So they {d}.
        {A} asked {b}, "Do you want to {v}?" "Yes, I do," said {b}, and they {d}.
        """,
    "feel": """
        {A} was {f}.
        {A} felt {f}.
        {A} was very {f}.
        {A} was so {f}.
        Oh, how {f} {a} was!
        {A} felt {f} deep inside.
        {A} had never been so {f}.
        {A} was a little {f}.
        "I am so {f}," said {a}.
        "I feel {f}," {a} said.
        """,
    "help": """
        {A} helped {b}.
        {A} was kind and helped {b} a lot.
        {A} gave {b} a helping hand.
        {A} worked hard to help {b}.
        "Let me help you, {b}," said {a}.
        {A} said to {b}, "Do not worry, I will help you."
        "Can I help you?" asked {a}. "Yes, please!" said {b}.
        """,
    "thank": """
        {A} thanked {b}.
        {A} gave {b} a big hug to say thank you.
        {A} smiled at {b} to say thank you.
        "Thank you, {b}!" said {a}.
        {A} said to {b}, "You are a very good friend."
        "You are so kind, {b}," said {a}.
        {A} hugged {b} and said, "Thank you so much!"
        """,
    "sorry": """
        {A} told {b} that {he} was sorry.
        {A} gave {b} a hug to say sorry.
        {A} felt bad and made up with {b}.
        "I am sorry, {b}," said {a}. "That is okay," said {b}.
        {A} looked down and said, "I did a bad thing, {b}. I am sorry."
        "Please do not be mad, {b}," said {a}. "We can be friends again," said {b}.
        """,
    "quarrel": """
        {A} got into a fight with {b}.
        {A} yelled at {b}, and {b} yelled back.
        {A} and {b} did not want to take turns, and they had a fight.
        {A} pushed {b}, and {b} pushed back.
        {A} would not talk to {b} any more.
        "No! I was first!" {a} shouted at {b}. "No, I was first!" {b} shouted back.
        "You are mean, {b}!" said {a}. "No, you are mean!" said {b}.
        "Go away, {b}!" yelled {a}. {b} stamped {bhis} foot and said, "You go away!"
        """,
    "share": """
        {A} and {b} took turns with the {t}.
        {A} shared the {t} with {b}.
        {A} let {b} play with the {t} too.
        "We can share the {t}," {a} said to {b}.
        "You first, and then me," said {a}, and {b} took a turn with the {t}.
        """,
    "ask_help": """
        {A} asked {b} for help.
        {A} told {b} all about it.
        {A} went to {b} with {his} problem.
        "Please help me, {b}!" said {a}.
        "{b}, what can I do?" asked {a}.
        {A} asked, "Can you help me, {b}?" "Yes, I can," said {b}.
        """,
    "moral": """
        {A} learned that it is good to {m}.
        From that day on, {a} knew that it is best to {m}.
        {A} never forgot that it is important to {m}.
        The moral of the story is that it is good to {m}.
        And that is how {a} learned to {m}.
        So remember, it is always good to {m}.
        "It is important to {m}," said {a}.
        "Now I know that it is good to {m}," {a} said.
        """,
}
"""Forms by kind, a line each."""
