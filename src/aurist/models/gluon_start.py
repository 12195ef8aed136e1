"""Keep AutoGluon from work that only its log needs, and that takes seconds in every worker process."""

from __future__ import annotations

from functools import cache

from aurist.system import may_have_gpu


@cache
def shorten_start() -> None:
    """Change AutoGluon in this process: no import of PyTorch for its log, and the versions of packages are read once.

    PyTorch, whose import takes two seconds, is not asked for GPUs if there is no driver of one. AutoGluon reads the
    versions of all installed packages each time that it stores a predictor.
    """
    from autogluon.common.utils import utils
    from autogluon.common.utils.resource_utils import ResourceManager
    from autogluon.tabular.predictor import predictor

    if not may_have_gpu():
        ResourceManager.get_gpu_count_torch = staticmethod(_no_gpu)
    predictor.get_ag_system_info = _no_system_info
    utils.get_package_versions = cache(utils.get_package_versions)


def _no_gpu(cuda_only: bool = False) -> int:
    return 0


def _no_system_info(**_: object) -> str:
    return ""
