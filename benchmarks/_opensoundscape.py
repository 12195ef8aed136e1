"""The OpenSoundscape side of `training_opensoundscape.py`. Runs in an environment with OpenSoundscape.

It reads a line of JSON per training from standard input, and answers with a line: clips/s. The clock runs from an early
step, when the batches made in advance are used up, to the last step. So the start of the workers and the saving of
models do not count.
"""

import contextlib
import importlib.util
import json
import sys
import tempfile
import time
import warnings

import pandas as pd
import torch
from opensoundscape import CNN
from opensoundscape.ml import cnn_architectures

warnings.filterwarnings("ignore")


def network_of(name: str, n_classes: int) -> torch.nn.Module:
    """Return ResNet18 of OpenSoundscape, or the network in a file of aurist that needs only torch."""
    if name == "resnet18":
        return cnn_architectures.resnet18(n_classes, weights=None, num_channels=1)
    spec = importlib.util.spec_from_file_location("body", name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    body = module.MelCnn(1)
    head = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(module.WIDTHS[-1], n_classes)]
    network = torch.nn.Sequential(body, *head)
    network.constructor_name = "mel_cnn"
    return network


def train(task: dict, labels: pd.DataFrame) -> float:
    network = network_of(task["network"], labels.shape[1])
    model = CNN(
        architecture=network,
        classes=list(labels.columns),
        sample_duration=task["seconds"],
        sample_rate=task["rate"],
        height=task["rows"],
        width=task["frames"],
        channels=1,
        single_target=True,
    )
    model.device = torch.device("cpu")
    steps: list[tuple[float, int]] = []
    network.register_forward_hook(lambda _, given, __: steps.append((time.perf_counter(), len(given[0]))))
    with tempfile.TemporaryDirectory() as folder:
        model.train(
            labels,
            steps=task["steps"],
            batch_size=task["batch"],
            num_workers=task["workers"],
            save_path=folder,
            invalid_samples_log=f"{folder}/invalid.log",
            progress_bar=False,
            log_interval=10**9,
            validation_interval=10**9,
            raise_errors=False,  # Its augmentation fails on clips with digital silence, and it then takes another clip.
        )
    steady = steps[task["ahead"] :]
    return sum(size for _, size in steady[:-1]) / (steady[-1][0] - steady[0][0])


def main() -> None:
    labels = pd.read_csv(sys.argv[1])
    labels = labels.set_index([name for name in ("file", "start_time", "end_time") if name in labels])
    answers = sys.stdout
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            speed = train(json.loads(line), labels)
        answers.write(json.dumps(speed) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
