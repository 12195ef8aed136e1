"""Audio models of the Hugging Face library transformers; they take waves, with their own feature extractor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from aurist.errors import ConfigError, MissingExtraError
from aurist.nets.config import NetworkConfig
from aurist.nets.layers import keep_frozen


class TransformerNetwork(nn.Module):
    """An audio transformer, such as AST, HuBERT or wav2vec 2.0, with a linear classifier.

    Parameters
    ----------
    config
        ``backbone`` is "transformer:" and a name at the hub, or a folder.
    n_classes
        The number of classes.
    sample_rate
        The sample rate of the waves, in Hz; it must be that of the model's training.
    architecture
        The result of the method `architecture`, if the weights are loaded later; None: use the weights of the hub or
        of the folder.

    Raises
    ------
    ConfigError
        If the model cannot be loaded, does not take sound, or was trained at another rate.
    """

    def __init__(
        self, config: NetworkConfig, n_classes: int, sample_rate: int, architecture: Mapping[str, Any] | None
    ) -> None:
        super().__init__()
        transformers = _library()
        name = config.transformer or ""
        if architecture is not None:
            kind = getattr(transformers, architecture["extractor"]["feature_extractor_type"])
            self.extractor: Any = kind.from_dict(dict(architecture["extractor"]))
            settings = dict(architecture["model"])
            self.body: Any = transformers.AutoModel.from_config(
                transformers.AutoConfig.for_model(settings.pop("model_type"), **settings)
            )
        else:
            try:
                self.extractor = transformers.AutoFeatureExtractor.from_pretrained(name)
                self.body = transformers.AutoModel.from_pretrained(name)
            except (OSError, ValueError) as error:
                raise ConfigError(
                    f"The model {name!r} cannot be loaded: {str(error).strip().splitlines()[0]} "
                    "Give the name of an audio model at the Hugging Face hub, or a folder with "
                    "config.json, preprocessor_config.json and the weights."
                ) from error
        rate = getattr(self.extractor, "sampling_rate", None)
        if rate != sample_rate:
            raise ConfigError(
                f"The model {name!r} takes sound at {rate} Hz, but the recipe has {sample_rate} Hz: "
                f"set front.sample_rate = {rate}."
            )
        self.body.requires_grad_(not config.frozen)
        self.dropout = nn.Dropout(config.dropout or 0.0)
        self.classifier = nn.Linear(int(self.body.config.hidden_size), n_classes)

    def architecture(self) -> dict[str, Any]:
        """Return everything but the weights, for JSON."""
        return {"model": self.body.config.to_dict(), "extractor": self.extractor.to_dict()}

    def train(self, mode: bool = True) -> TransformerNetwork:
        """Set the mode, as in torch; frozen layers of the body stay in evaluation mode."""
        super().train(mode)
        keep_frozen(self.body)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, n_samples) into logits, (batch, n_classes)."""
        logits: Tensor = self.classifier(self.dropout(self.embed(x)))
        return logits

    def embed(self, x: Tensor) -> Tensor:
        """Turn (batch, n_samples) into (batch, features): by the model's own pooling, or the mean over time."""
        inputs = self.extractor(
            list(x.detach().float().cpu().numpy()),
            sampling_rate=self.extractor.sampling_rate,
            return_tensors="pt",
        ).to(x.device)
        out = self.body(**inputs)
        pooled: Tensor | None = getattr(out, "pooler_output", None)
        return out.last_hidden_state.mean(dim=1) if pooled is None else pooled


def _library() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("A network of transformers", "pretrained") from error
    return transformers
