"""The peer of `long_recordings.py`, run by the Python of an environment that has OpenSoundscape.

Given a file of weights and a description of the network, reads a line of JSON for each prediction from standard input,
and answers with a line: its seconds, the megabytes that it and its workers had at the most, and its scores.
"""

import contextlib
import json
import resource
import sys
import time
import warnings

import torch
from opensoundscape import CNN
from opensoundscape.ml import cnn_architectures

warnings.filterwarnings("ignore")


def main() -> None:
    weights, told = sys.argv[1], json.loads(sys.argv[2])
    network = cnn_architectures.resnet18(len(told["classes"]), weights=None, num_channels=1)
    network.load_state_dict(torch.load(weights))
    model = CNN(
        architecture=network,
        classes=told["classes"],
        sample_duration=told["seconds"],
        sample_rate=told["rate"],
        height=told["rows"],
        width=told["frames"],
        channels=1,
    )
    model.device = torch.device("cpu")
    answers = sys.stdout
    for line in sys.stdin:
        task = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):
            began = time.perf_counter()
            said = model.predict(
                [task["file"]],
                batch_size=task["batch"],
                num_workers=task["workers"],
                clip_overlap=0,
                progress_bar=False,
            )
            taken = time.perf_counter() - began
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * task["workers"]
        answers.write(
            json.dumps({"seconds": taken, "mb": (own + theirs) / 1024, "windows": len(said)}) + "\n"
        )
        answers.flush()


if __name__ == "__main__":
    main()
