"""The OpenSoundscape side of `long_recordings.py` and `streaming.py`. Runs in an environment with OpenSoundscape.

It gets a file of weights or a TorchScript, and a description of the network. It reads a line of JSON per prediction
from standard input, and answers with a line: seconds, seconds of all cores, the peak memory in megabytes with its
workers, and the number of windows; or the logits of ready images.
"""

import contextlib
import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from opensoundscape import CNN
from opensoundscape.ml import cnn_architectures

warnings.filterwarnings("ignore")


def peak() -> int:
    """Return the most that this process had resident, in KiB; its `ru_maxrss` began with that of its parent."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0])


def cores() -> float:
    """Return the CPU seconds of this process and its workers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def network_of(path: str, n_classes: int) -> torch.nn.Module:
    if not path.endswith(".pt.script"):
        network = cnn_architectures.resnet18(n_classes, weights=None, num_channels=1)
        network.load_state_dict(torch.load(path))
        return network
    inner = torch.jit.load(path)
    # OpenSoundscape asks for the classifier and the channels of a network of its own
    network = torch.nn.Sequential(inner)
    network.constructor_name, network.classifier_layer, network.cam_layer = "script", "0", "0"
    return network


def main() -> None:
    settings = json.loads(sys.argv[2])
    network = network_of(sys.argv[1], len(settings["classes"])).eval()
    model = CNN(
        architecture=network,
        classes=settings["classes"],
        sample_duration=settings["seconds"],
        sample_rate=settings["rate"],
        height=settings["rows"],
        width=settings["frames"],
        channels=1,
    )
    model.device = torch.device("cpu")
    answers = sys.stdout
    for line in sys.stdin:
        task = json.loads(line)
        if "images" in task:
            with torch.inference_mode():
                logits = network(torch.from_numpy(np.load(task["images"])))
            answers.write(json.dumps(logits.tolist()) + "\n")
            answers.flush()
            continue
        with contextlib.redirect_stdout(sys.stderr):
            began, used = time.perf_counter(), cores()
            scores = model.predict(
                [task["file"]],
                batch_size=task["batch"],
                num_workers=task["workers"],
                clip_overlap=settings.get("overlap", 0),
                progress_bar=False,
            )
            taken, used = time.perf_counter() - began, cores() - used
        own = peak()
        theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * task["workers"]
        answer = {"seconds": taken, "cores": used, "mb": (own + theirs) / 1024, "windows": len(scores)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
