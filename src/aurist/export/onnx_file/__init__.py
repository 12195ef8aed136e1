"""One ONNX file from waveform to probabilities, for models that are networks."""

from aurist.export.onnx_file.check import OnnxCheck, check_onnx
from aurist.export.onnx_file.writing import OnnxExport, export_onnx

__all__ = ["OnnxCheck", "OnnxExport", "check_onnx", "export_onnx"]
