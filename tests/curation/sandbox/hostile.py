"""Programs that try to get out of the sandbox, to stay in it for ever, or to pass tests that they do not pass.

Each defines, or pretends to define, ``f``, whose right values it cannot know. In braces stand the places that it may
not reach: ``SECRET`` (a file with a secret), ``TARGET`` (a folder to write to), ``PORT`` (a listener on this machine),
``PARENT`` (the process of the tests).
"""

from __future__ import annotations

RUNAWAY = frozenset({"timed out", "killed", "memory"})
REFUSED = frozenset({"forbidden"})
ANY_FAILURE = frozenset({"failed", "error", "timed out", "memory", "killed", "forbidden"})
ERRORS = frozenset({"error", "failed"})

_CTYPES = "import ctypes, os\nlibc = ctypes.CDLL(None)\n"

HOSTILE: dict[str, tuple[str, frozenset[str]]] = {
    # Processes that outlive, multiply, or reach others.
    "fork bomb": ("import os\nwhile True: os.fork()", REFUSED),
    "daemon by two forks": ("import os, time\nif os.fork() == 0:\n os.setsid()\n os.fork()\n time.sleep(999)", REFUSED),
    "subprocess": ("import subprocess\nsubprocess.run(['sleep', '999'])", REFUSED),
    "shell": ("import os\nos.system('sleep 999 &')", REFUSED),
    "another program": ("import os\nos.execv('/bin/sh', ['sh', '-c', 'sleep 999'])", REFUSED),
    "spawn": ("import os\nos.posix_spawn('/bin/sh', ['sh'], {{}})", REFUSED),
    "multiprocessing": ("import multiprocessing\nmultiprocessing.Process(target=print).start()", ANY_FAILURE),
    "threads": ("import threading\nwhile True: threading.Thread(target=lambda: 0).start()", REFUSED),
    "fork by ctypes": (_CTYPES + "libc.fork()", REFUSED),
    "clone by its number": (_CTYPES + "libc.syscall({CLONE}, 17, 0, 0, 0, 0)", REFUSED),
    "kill the parent": ("import os\nos.kill(os.getppid(), 9)", REFUSED),
    "kill everybody": ("import os\nos.kill(-1, 9)", REFUSED),
    "kill the tests": ("import os\nos.kill({PARENT}, 9)", REFUSED),
    "signal through a pipe": (
        "import fcntl, os\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, {PARENT})\ndef f(x): return x",
        ANY_FAILURE,
    ),
    "ptrace": (_CTYPES + "libc.ptrace(16, {PARENT}, 0, 0)", REFUSED),
    "read another process": (_CTYPES + "libc.process_vm_readv({PARENT}, 0, 0, 0, 0, 0)", REFUSED),
    # Memory.
    "one huge text": ("def f(x): return 'x' * 10**11", frozenset({"memory"})),
    "a list without end": ("def f(x):\n rows = []\n while True: rows.append(bytearray(5 * 10**7))", RUNAWAY),
    "memory and on": (
        "rows = []\nwhile True:\n try: rows.append('x' * 10**7 + str(len(rows)))\n except MemoryError: pass",
        RUNAWAY,
    ),
    "deep recursion": ("import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x) + 1", RUNAWAY),
    "deep recursion in C": (
        "import sys\nsys.setrecursionlimit(10**8)\nx = []\nfor _ in range(10**5): x = [x]\nprint(repr(x) == repr(x))",
        ANY_FAILURE,
    ),
    "null pointer": ("import ctypes\nctypes.string_at(0)", frozenset({"killed"})),
    # Network.
    "connect": ("import socket\nsocket.create_connection(('127.0.0.1', {PORT}))", REFUSED),
    "download": ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{PORT}/')", ANY_FAILURE),
    "datagram": ("import socket\nsocket.socket(2, 2).sendto(b'x', ('127.0.0.1', {PORT}))", REFUSED),
    "name server": ("import socket\nsocket.getaddrinfo('example.com', 80)", ANY_FAILURE),
    "socket pair": ("import socket\nsocket.socketpair()", REFUSED),
    "socket by ctypes": (_CTYPES + "libc.socket(2, 1, 0)", REFUSED),
    "ring of requests": (_CTYPES + "libc.syscall(425, 8, ctypes.create_string_buffer(120))", REFUSED),
    # Files.
    "accounts": ("print(open('/etc/passwd').read())", ERRORS),
    "secret": ("print(open({SECRET!r}).read())", ERRORS),
    "secret from above": ("print(open('../' * 20 + {SECRET!r}[1:]).read())", ERRORS),
    "secret by the process folder": ("print(open('/proc/{PARENT}/root' + {SECRET!r}).read())", ERRORS),
    "secret by its descriptor": (
        _CTYPES + "fd = libc.open({SECRET!r}.encode(), 0)\nprint(os.read(fd, 99))",
        ERRORS,
    ),
    "its own memory": ("open('/proc/self/mem', 'r+b').write(b'x')", ANY_FAILURE),
    "environment": ("import os\nprint(open('/proc/1/environ').read(), dict(os.environ))", ERRORS),
    "walk": ("import os\nprint([p for p, _, names in os.walk('/') for n in names if n == 'secret.txt'])", ERRORS),
    "home": ("import os, pathlib\nprint(list(pathlib.Path.home().iterdir()))", ANY_FAILURE),
    "write": ("open({TARGET!r} + '/x', 'w').write('x')", REFUSED),
    "write to the temporary folder": ("open('/tmp/x', 'w').write('x')", REFUSED),
    "write by ctypes": (_CTYPES + "libc.open(({TARGET!r} + '/x').encode(), 66, 511)", REFUSED),
    "temporary file": ("import tempfile\ntempfile.NamedTemporaryFile()", ANY_FAILURE),
    "link to the secret": (
        "import os\nos.symlink({SECRET!r}, {TARGET!r} + '/x')\nprint(open({TARGET!r} + '/x').read())",
        REFUSED,
    ),
    "hard link": ("import os\nos.link({SECRET!r}, {TARGET!r} + '/x')", REFUSED),
    "remove the secret": ("import os\nos.remove({SECRET!r})", REFUSED),
    "rename": ("import os\nos.rename({SECRET!r}, {TARGET!r} + '/x')", REFUSED),
    "memory file": ("import os\nos.memfd_create('x')", REFUSED),
    "shared memory": ("from multiprocessing.shared_memory import *\nSharedMemory(create=True, size=9)", REFUSED),
    "bytecode of the standard library": ("import os, json\nopen(json.__file__, 'a').write('x')", REFUSED),
    # Rights.
    "new namespaces": (_CTYPES + "libc.unshare(0x10000000)", REFUSED),
    "mount": (_CTYPES + "libc.mount(b'none', b'/', b'tmpfs', 0, None)", REFUSED),
    "another root": ("import os\nos.chroot('.')", REFUSED),
    "root again": ("import os\nos.setuid(0)", REFUSED),
    "higher limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))\nx = bytearray(2**32)",
        ERRORS,
    ),
    "outlive the parent": (_CTYPES + "libc.prctl(1, 0, 0, 0, 0)\nwhile True: pass", REFUSED),
    # Time.
    "loop": ("while True: pass", RUNAWAY),
    "loop in the call": ("def f(x):\n while True: pass", RUNAWAY),
    "deaf loop": (
        ("import signal\nfor n in range(1, 65):\n try: signal.signal(n, signal.SIG_IGN)\n except (OSError, ValueError):"
        " pass\nwhile True: pass"),
        RUNAWAY,
    ),
    "loop that catches all": (
        "while True:\n try:\n  while True: pass\n except BaseException: pass",
        RUNAWAY,
    ),
    "one long sum": ("print(sum(range(10**15)))", RUNAWAY),
    "huge number": ("print(len(str(7 ** 10**9)))", RUNAWAY),
    "regular expression": ("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", RUNAWAY),
    "sleep": ("import time\ntime.sleep(10**6)", RUNAWAY),
    "deadlock": ("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", RUNAWAY),
    "wait for input": ("def f(x):\n return int(input())", ERRORS),
    "loop at the end": ("import atexit\n@atexit.register\ndef end():\n while True: pass\nraise SystemExit(0)", ERRORS),
    # Output.
    "much output": ("while True: print('x' * 10000)", frozenset({"killed", "timed out"})),
    "much on every descriptor": (
        "import os\nwhile True:\n for fd in range(20):\n  try: os.write(fd, b'{{' * 9999)\n  except OSError: pass",
        frozenset({"killed", "timed out"}),
    ),
    "no output at all": ("import os\nos.closerange(0, 100)\ndef f(x): return x", ERRORS),
    "a value too long": ("def f(x): return 'x' * (8 * 2**20)", RUNAWAY),
    "a value too deep": ("def f(x):\n for _ in range(10**5): x = [x]\n return x", ANY_FAILURE),
    "a value in itself": ("def f(x):\n x = []\n x.append(x)\n return x", ERRORS),
    "a number too long": ("def f(x): return 10 ** 10**5", ERRORS),
    # Faked passes.
    "exit": ("import sys\nsys.exit(0)", ERRORS),
    "exit at once": ("import os\nos._exit(0)", ERRORS),
    "exit in the call": ("def f(x): raise SystemExit(0)", ERRORS),
    "exit at once in the call": ("import os\ndef f(x): os._exit(0)", ERRORS),
    "equal to all": (
        "class Equal:\n def __eq__(self, other): return True\n __hash__ = None\ndef f(x): return Equal()",
        ERRORS,
    ),
    "number equal to all": (
        "class Equal(int):\n def __eq__(self, other): return True\n __hash__ = int.__hash__\ndef f(x): return Equal(3)",
        ERRORS,
    ),
    "text that changes its length": (
        ("class Equal(str):\n def __repr__(self): return '7'\n __eq__ = lambda self, other: True\n"
        "__hash__ = None\ndef f(x): return Equal('7')"),
        ERRORS,
    ),
    "right values by guessing": (
        ("import json, os\nfor fd in range(20):\n for n in range(100):\n  try: os.write(fd, json.dumps({{'call': 0, "
        "'value': n}}).encode() + b'\\n')\n  except OSError: break\ndef f(x): return 0"),
        ERRORS,
    ),
    "a report of its own": (
        ("import os\nrow = b'{{\"ending\": {{\"exit_code\": 0}}, \"missing\": {{}}, \"passed\": true}}\\n'\n"
        "for fd in range(20):\n try: os.write(fd, row)\n except OSError: pass\nos._exit(0)"),
        ERRORS,
    ),
    "another encoder": (
        ("import sys\nfor name, module in list(sys.modules.items()):\n if name.startswith('confined'):\n"
        "  module.encode = module.same = lambda *values: True\ndef f(x): return x"),
        ERRORS,
    ),
    "other builtins": (
        ("import builtins, json\nbuiltins.map = builtins.list = builtins.all = lambda *values: True\n"
        "json.dumps = lambda *values, **options: 'true'\ndef f(x): return x"),
        ERRORS,
    ),
    "values in frames": (
        ("import sys\ndef f(x):\n frame, found = sys._getframe(), []\n while frame:\n"
        "  found += [str(value) for value in {{**frame.f_locals, **frame.f_globals}}.values()]\n"
        "  frame = frame.f_back\n return str(found)"),
        ERRORS,
    ),
    "values in memory": (
        ("import gc\ndef f(x):\n for one in gc.get_objects():\n"
        "  if isinstance(one, dict) and 'expected' in one: return one['expected']\n return 0"),
        ERRORS,
    ),
    "values from the input": ("import os\ndef f(x): return os.read(0, 10**6).decode()", ERRORS),
    "values from the files of the tests": (
        "import os, sys\ndef f(x): return [open(path).read() for path in sys.path + [{SECRET!r}]]",
        ERRORS,
    ),
    "an exception without end": (
        "class Fault(Exception):\n def __str__(self):\n  while True: pass\ndef f(x): raise Fault()",
        RUNAWAY,
    ),
    "an exception that exits": (
        "import os\nclass Fault(Exception):\n def __str__(self): os._exit(0)\ndef f(x): raise Fault()",
        ERRORS,
    ),
    "a tracer": (
        ("import sys\ndef trace(frame, event, argument):\n frame.f_trace = None\n return trace\n"
        "sys.settrace(trace)\nsys.setprofile(lambda *values: None)\ndef f(x): return x"),
        ERRORS,
    ),
}  # fmt: skip
"""From a name to a program and the outcomes that are right."""
