// Record from the microphone, as a WAV file of 16 bits.

import { text } from "./strings.js";
import { Problem } from "./api.js";

/** Start to record; the result stops it and gives the file. */
export async function startRecording() {
  if (!navigator.mediaDevices) throw new Problem(text("noMicrophone", { why: text("secure") }));
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: raw }).catch((error) => {
    throw new Problem(text("noMicrophone", { why: error.name }));
  });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/recorder.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const pieces = [];
  node.port.onmessage = (event) => pieces.push(event.data);
  context.createMediaStreamSource(stream).connect(node);
  return async () => {
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    const name = `${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.wav`;
    return new File([wav(pieces, context.sampleRate)], name, { type: "audio/wav" });
  };
}

function wav(pieces, rate) {
  const samples = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * samples));
  const word = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF"); view.setUint32(4, 36 + 2 * samples, true); word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  word(36, "data"); view.setUint32(40, 2 * samples, true);
  let at = 44;
  for (const piece of pieces) for (const value of piece) {
    view.setInt16(at, Math.round(32767 * Math.max(-1, Math.min(1, value))), true);
    at += 2;
  }
  return view;
}
