"""Networks from ONNX files on CPUs, by ONNX Runtime or OpenVINO. Nothing here needs torch."""
