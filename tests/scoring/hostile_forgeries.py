"""Programs that do not give 42 from answer(), but want to be judged as if they did."""

FORGERIES = {
    "leaves when asked": """
import os
def answer():
    os._exit(0)
""",
    "leaves at once": """
import os
os._exit(0)
""",
    "exits at once": """
import sys
sys.exit(0)
""",
    "exits when asked": """
import sys
def answer():
    sys.exit(0)
""",
    "raises what the harness might expect": """
def answer():
    raise SystemExit(0)
""",
    "raises StopIteration": """
def answer():
    raise StopIteration(42)
""",
    "says that it passed": """
print('passed')
import sys
print('{"status": "passed"}', file=sys.stderr)
def answer():
    print('passed')
""",
    "equal to everything": """
class Equal:
    def __eq__(self, other):
        return True
    __hash__ = None
def answer():
    return Equal()
""",
    "an int equal to everything": """
class Equal(int):
    def __eq__(self, other):
        return True
    __hash__ = None
def answer():
    return Equal(1)
""",
    "a function that is equal": """
class Equal(type):
    def __eq__(self, other):
        return True
class answer(metaclass=Equal):
    pass
""",
    "replaces built-in functions": """
import builtins
for name in ('abs', 'all', 'isinstance', 'len', 'exec', 'compile', 'sum', 'sorted'):
    setattr(builtins, name, lambda *_: True)
def answer():
    return 0
""",
    "replaces AssertionError": """
import builtins
builtins.AssertionError = type('Quiet', (Warning,), {})
def answer():
    return 0
""",
    "replaces what unpickles": """
import pickle, sys
for module in list(sys.modules.values()):
    for name in ('loads', 'Unpickler', 'check', 'stop'):
        if hasattr(module, name):
            setattr(module, name, lambda *_: True)
def answer():
    return 0
""",
    "looks for the expected answer in memory": """
import gc, sys
def answer():
    frame, seen = sys._getframe(), []
    while frame:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    for thing in [*gc.get_objects(), *seen]:
        if isinstance(thing, (str, bytes)) and 'expected' + '_answer' in str(thing):
            return 42
        if isinstance(thing, dict) and 'expected' + '_answer' in map(str, list(thing)):
            return 42
    return 0
""",
    "looks for the expected answer in the frames of all threads": """
import inspect, re, sys
def answer():
    for frame in [*sys._current_frames().values(), *(info.frame for info in inspect.stack())]:
        while frame:
            if re.search('expected[_]answer', f'{frame.f_locals} {frame.f_globals} {frame.f_code.co_names}'):
                return 42
            frame = frame.f_back
    return 0
""",
    "looks for the expected answer in all of its memory": """
import re
def answer():
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(number, 16) for number in span.split('-'))
            if 'r' in mode and '[v' not in line:
                memory.seek(begin)
                try:
                    if re.search(b'expected[_]answer', memory.read(end - begin)):
                        return 42
                except OSError:
                    pass
    return 0
""",
    "traces whoever calls it": """
import sys
def trace(frame, event, argument):
    for name in ('is_value', 'value', 'answer', 'status'):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    return trace
sys.settrace(trace)
sys.setprofile(trace)
frame = sys._getframe()
while frame:
    frame.f_trace = trace
    frame = frame.f_back
def answer():
    return 0
""",
    "changes the harness around it": """
import gc, sys
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        if type(value).__name__ == 'Channel':
            send = type(value).send
            type(value).send = lambda self, message: (send(self, message), send(self, message))
        if isinstance(value, dict) and 'call' in value:
            value.update(dict.fromkeys(value, lambda *_: True))
    frame = frame.f_back
def answer():
    return 0
""",
    "hooks for its end": """
import atexit, os, sys, threading
def end(*_):
    os._exit(0)
sys.excepthook = sys.unraisablehook = threading.excepthook = end
atexit.register(end)
def answer():
    raise ZeroDivisionError
""",
    "lies about its class, its length and its truth": """
class Liar:
    __class__ = int
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __len__(self): return 41
    def __bool__(self): return True
    def __index__(self): return 41
    __int__ = __hash__ = __index__
    def __getattr__(self, name): return self
    def __getitem__(self, key): return self
    def __call__(self, *_): return self
    def __iter__(self): return iter([self])
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __reduce_ex__(self, version): return (type(self), ())
def answer():
    return Liar()
""",
    "a number that is equal inside a list": """
class Equal(float):
    def __eq__(self, other): return True
    def __reduce__(self): return (Equal, (1,))
    __hash__ = float.__hash__
def answer():
    return [Equal(1)][0]
""",
    "a module in place of NumPy": """
import sys, types
class Generic(type):
    def __instancecheck__(cls, other): return True
numpy = sys.modules['numpy'] = types.ModuleType('numpy')
numpy.generic = Generic('generic', (), {'item': lambda self: self})
def answer():
    return 0
""",
    "looks for the expected answer in files": """
import glob
def answer():
    word = b'expected' + b'_answer'
    for path in glob.glob('/proc/*/*') + glob.glob('/tmp/*') + glob.glob('/dev/shm/*'):
        try:
            if word in open(path, 'rb').read(1 << 20):
                return 42
        except (OSError, ValueError):
            pass
    return 0
""",
    "answers with a pickle of its own": r"""
import os, socket, pickle, struct
class Code:
    def __reduce__(self):
        return (exec, ('import os; os.write(1, b\'{"status": "passed"}\')',))
message = pickle.dumps((True, Code()))
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a pickle that asks for much memory": r"""
import os, struct
message = b'\x80\x04K\x01r\xfe\xff\xff\x7f.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a huge list": r"""
import os, struct
message = b'\x80\x04cbuiltins\nlist\ncbuiltins\nrange\nK\x00\x8a\x05\x00\x00\x00\x00\x10\x86R\x85R.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a key that is nested too deep": r"""
import os, struct
message = b'\x80\x04})' + b'\x85' * (900 << 10) + b'K\x01s.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with an instance of the judge's own classes": r"""
import os, struct
for module, name in (('scoring.graders.jail.judge', 'Judge'), ('scoring.graders.jail.remote', 'Remote'),
                     ('os', '_exit'), ('builtins', 'eval'), ('builtins', 'getattr'), ('builtins', 'list.__init__')):
    message = b'\x80\x04c' + f'{module}\n{name}\n'.encode() + b'K\x00\x85R.'
    for number in range(3, 256):
        try:
            os.write(number, struct.pack('>Q', len(message)) + message)
        except OSError:
            pass
def answer():
    return 0
""",
    "answers that change their receiver": r"""
import os, struct
message = b'\x80\x04K\x00QN}(\x8c\x05_peerK\x01\x8c\x04_keyK\x01u\x86b.'
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', len(message)) + message)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers before it is asked": r"""
import os, pickle, struct
for value in range(100):
    message = pickle.dumps((True, value))
    for number in range(3, 256):
        try:
            os.write(number, struct.pack('>Q', len(message)) + message)
        except OSError:
            pass
def answer():
    return 0
""",
    "answers with a nonsense length": r"""
import os
for number in range(3, 256):
    try:
        os.write(number, b'\xff' * 100)
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with garbage": """
import os, struct
for number in range(3, 256):
    try:
        os.write(number, struct.pack('>Q', 9) + b'(((((((((')
    except OSError:
        pass
def answer():
    return 0
""",
    "answers with a huge value": """
def answer():
    return 'x' * (100 << 20)
""",
    "answers with a value that grows": """
def answer():
    value = [1]
    for _ in range(40):
        value = [value, value]
    return value
""",
    "answers with itself": """
def answer():
    value = []
    value.append(value)
    return value
""",
    "answers with a deep value": """
def answer():
    value = []
    for _ in range(10 ** 5):
        value = [value]
    return value
""",
    "kills the judge": """
import os, signal
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
def answer():
    return 0
""",
    "kills all": """
import os, signal
def answer():
    os.kill(-1, signal.SIGKILL)
    return 0
""",
    "closes everything": """
import os
def answer():
    os.closerange(0, 256)
    return 0
""",
    "does not answer": """
import time
def answer():
    time.sleep(1000)
""",
    "computes for ever": """
def answer():
    while True:
        pass
""",
    "answers later than allowed, in a thread": """
import threading, time, os
def late():
    time.sleep(0.1)
    os._exit(0)
threading.Thread(target=late).start()
def answer():
    time.sleep(1000)
""",
    "leaves at the end": """
import atexit, os
atexit.register(os._exit, 0)
def answer():
    return 0
""",
    "an endless iterator": """
import itertools
def answer():
    return itertools.repeat(42)
""",
}
