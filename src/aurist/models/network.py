"""Networks as models of a run: train the recipe on each fold."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aurist.errors import FullDiskError
from aurist.extras import has_extra, need_extra
from aurist.models.base import Examples, Fitted, Inputs, ModelSpec, NotPortableError, Task, fit_again
from aurist.models.network_files import NETWORKS, NetworkFiles, read_networks
from aurist.models.network_member import INT8, recipe_of, some_samples
from aurist.models.network_model import NetworkModel, Networks
from aurist.recipes import Recipe
from aurist.system import may_have_gpu


def check_recipe(recipe: Recipe, n_classes: int) -> None:
    """Build the recipe's network once, to report errors before anything is prepared. Slow: torch is loaded.

    Raises
    ------
    ConfigError
        If there is no such network, its weights cannot be loaded, or the images are too small for it.
    MissingExtraError
        If torch or another library is not installed.
    """
    need_extra("networks", "A network")
    from aurist.features.spectrogram_config import shape
    from aurist.nets.build import build_network

    front = recipe.front
    image = shape(front, some_samples(recipe))
    build_network(
        recipe.network,
        image if recipe.network.takes == "image" else None,
        n_classes,
        sample_rate=front.sample_rate,
    )


def measure_recipe(recipe: Recipe, n_classes: int, multilabel: bool, jobs: int, output: Path) -> None:
    """Measure a recipe's training on this machine; write ``precision`` and ``clips_per_second`` as JSON."""
    need_extra("networks", "A network")
    from aurist.files import write_json
    from aurist.models.training.benchmark import measure

    precision, speed = measure(recipe, n_classes, jobs, multilabel=multilabel)
    write_json(output, {"precision": precision, "clips_per_second": speed})


def embed(folder: Path, recipe: Recipe, inputs: Inputs, jobs: int, output: Path) -> None:
    """Call `aurist.models.training.embed.embed_clips`; torch is loaded only here."""
    need_extra("networks", "A network")
    from aurist.models.training.embed import embed_clips

    embed_clips(folder, recipe, inputs, jobs, output)


class NetworkEngine:
    """Trains the networks of a recipe with torch. A killed training continues from its last state."""

    #: One fold at a time, on all cores or the GPU: threads share the work better than parallel folds.
    alone = True
    resumes = True

    def fit(
        self,
        folder: Path,
        task: Task,
        member: ModelSpec,
        train: Examples,
        validation: Examples,
        seconds: float,
    ) -> Fitted:
        """Train. Choose epochs on the validation part if the recipe chooses any."""
        need_extra("networks", "A network")
        from aurist.models.training.fold import fit_fold

        recipe = recipe_of(member)
        facts = fit_fold(folder, recipe, task, train, validation, seconds)
        if recipe.training.quantize == INT8:
            from aurist.models.training.int8_files import write_int8

            write_int8(folder, len(task.classes), train.inputs, task.jobs)
        model = self.load(folder, task, member)
        chosen = recipe.training.keep == "best"
        return Fitted(model, model.predict_proba(validation.inputs) if chosen else None, facts)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> NetworkModel:
        """Load the networks: on CPUs from ONNX files, which are written once beside the weights, else with torch."""
        pooling = str(member.settings.get("pooling", recipe_of(member).window.pooling[0]))
        files = read_networks(folder)
        int8 = files.recipe.training.quantize == INT8 and not _needs_torch(files)
        networks = _networks(folder, files, task, int8=int8)
        exact = partial(_networks, folder, files, task, int8=False) if int8 else None
        return NetworkModel(files.recipe, task, files.input_spec, networks, files.unseen, pooling, exact)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the settings and the ONNX files, which are written first if they do not exist."""
        files = read_networks(folder)
        if files.input_spec.image is None:
            raise NotPortableError("transformers are not written as ONNX files")
        if files.recipe.training.quantize == INT8:
            return [folder / NETWORKS, *(path for checkpoints in files.int8 for path in checkpoints)]
        if not _has_onnx(folder, files, len(task.classes)):
            need_extra("networks", "The ONNX file of a network")
            raise NotPortableError(f"its ONNX files cannot be written to {folder}")
        return [folder / NETWORKS, *(path for checkpoints in files.onnx for path in checkpoints)]


def _networks(folder: Path, files: NetworkFiles, task: Task, *, int8: bool) -> Networks:
    n_classes = len(task.classes)
    if int8 or (not _needs_torch(files) and _has_onnx(folder, files, n_classes)):
        from aurist.models.onnx_networks.networks import load_onnx_networks

        remedy = f"Remove the .onnx files in {folder}, and they are written again; torch must be installed."
        if int8:
            remedy = fit_again(folder)
        return load_onnx_networks(files, n_classes, task.jobs, remedy, int8=int8)
    need_extra("networks", "A network")
    from aurist.models.training.model import load_torch_networks

    return load_torch_networks(files, n_classes)


def _needs_torch(files: NetworkFiles) -> bool:
    """Tell whether only torch can run the networks, or runs them fastest, on a GPU."""
    from aurist.models.onnx_networks.choice import TORCH, engine_setting

    setting = engine_setting()
    if files.input_spec.image is None or setting == TORCH:
        return True
    if setting is not None or not may_have_gpu() or not has_extra("networks"):
        return False
    import torch

    return bool(torch.cuda.is_available())


def _has_onnx(folder: Path, files: NetworkFiles, n_classes: int) -> bool:
    """Write the ONNX files that are missing, if torch is installed and the folder can be written; tell if all exist."""
    if all(path.exists() for checkpoints in files.onnx for path in checkpoints):
        return True
    if not has_extra("networks"):
        return False
    from aurist.models.training.onnx_files import write_onnx

    try:
        write_onnx(folder, n_classes)
    except (OSError, FullDiskError):
        return False
    return True
