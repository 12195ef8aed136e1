// Runs the model beside the page, so that the page stays usable meanwhile.
import * as ort from "./onnxruntime-web/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./onnxruntime-web/", import.meta.url).href;
ort.env.wasm.numThreads = 1;
const session = ort.InferenceSession.create(new URL("./model.onnx", import.meta.url).href, {
  executionProviders: ["wasm"],
});
session.then(() => postMessage({ ready: true }), (error) => postMessage({ error: String(error) }));

onmessage = async ({ data: { number, wave } }) => {
  try {
    const model = await session;
    const waveform = new ort.Tensor("float32", wave, [1, wave.length]);
    const { probabilities } = await model.run({ waveform });
    postMessage({ number, probabilities: Array.from(probabilities.data) });
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
};
