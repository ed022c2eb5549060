"""Models are loaded by the threads of a server, several at once."""

import subprocess
import sys

LOAD = """
import threading, torch
from engine import Predictor
from engine.network.potential import pretrained_features

errors = []

def attempt(load):
    try:
        load()
    except BaseException as error:
        errors.append(repr(error))

loads = [
    lambda: pretrained_features(torch.device("cpu"), torch.float64),
    lambda: pretrained_features(torch.device("cpu"), torch.float32),
    lambda: Predictor.load("e3nn-scratch", "cpu"),
    lambda: Predictor.load(None, "cpu"),
    lambda: Predictor.load("fast", "cpu"),
]
threads = [threading.Thread(target=attempt, args=(load,)) for load in loads]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(errors)
"""


def test_models_that_threads_load_at_the_same_moment_are_all_there():
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
