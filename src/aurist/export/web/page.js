// Takes a file or a recording, and shows the probability of each class. Nothing leaves this machine.
const LONGEST = 120; // seconds of a clip that are classified
const part = (id) => document.getElementById(id);
const say = (text) => { part("status").textContent = text; };

const about = await (await fetch("about.json")).json();
const rate = Number(about.sample_rate);
const classes = JSON.parse(about.classes);
const thresholds = JSON.parse(about.thresholds);
const multilabel = JSON.parse(about.multilabel);
const score = JSON.parse(about.score);
let number = 0;

const bounds = score === null ? "" : ` ${about.metric} ${score.score.toFixed(3)} ` +
  `[${score.low.toFixed(3)}, ${score.high.toFixed(3)}] on clips that it had not learnt from.`;
part("about").textContent = `${about.model} knows ${classes.length} classes.${bounds}`;

const worker = new Worker("worker.js", { type: "module" });
say("The model is being loaded.");
worker.onerror = (event) => say(`The model cannot be run in this browser: ${event.message || "unknown error"}`);
worker.onmessage = ({ data }) => {
  if (data.ready) {
    say("");
    part("file").disabled = false;
    part("record").disabled = !navigator.mediaDevices || !window.MediaRecorder;
  } else if (data.error) {
    say(`The model failed: ${data.error}`);
  } else if (data.number === number) {
    show(data.probabilities);
  }
};

function show(probabilities) {
  const best = Math.max(...probabilities);
  const order = classes.map((_, k) => k).sort((a, b) => probabilities[b] - probabilities[a]);
  const rows = order.map((k) => {
    const row = document.createElement("tr");
    const label = document.createElement("th");
    label.scope = "row";
    label.textContent = classes[k];
    const bar = document.createElement("meter");
    bar.value = probabilities[k];
    const value = document.createElement("td");
    value.textContent = probabilities[k].toFixed(3);
    value.dataset.probability = probabilities[k];
    const chosen = multilabel ? probabilities[k] >= (thresholds[classes[k]] ?? 0.5) : probabilities[k] === best;
    row.classList.toggle("chosen", chosen);
    const cell = document.createElement("td");
    cell.append(bar);
    row.append(label, cell, value);
    return row;
  });
  part("rows").replaceChildren(...rows);
  part("result").hidden = false;
  say(part("status").dataset.note || "");
}

// decodeAudioData resamples to the rate of its context
async function decode(blob) {
  const context = new OfflineAudioContext(1, 1, rate);
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  const wave = new Float32Array(Math.min(sound.length, LONGEST * rate));
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const samples = sound.getChannelData(channel);
    for (let i = 0; i < wave.length; i++) wave[i] += samples[i] / sound.numberOfChannels;
  }
  return { wave, whole: sound.length <= wave.length };
}

async function classify(blob) {
  number += 1;
  const mine = number;
  part("result").hidden = true;
  part("player").src = URL.createObjectURL(blob);
  part("player").hidden = false;
  say("The sound is being decoded.");
  try {
    const { wave, whole } = await decode(blob);
    if (mine !== number) return;
    part("status").dataset.note = whole ? "" : `Only the first ${LONGEST} seconds are classified.`;
    say("The sound is being classified.");
    worker.postMessage({ number, wave }, [wave.buffer]);
  } catch (error) {
    say(`This browser cannot decode the file (${error.message || error}). Try WAV, FLAC, MP3 or Ogg.`);
  }
}

part("form").onsubmit = (event) => event.preventDefault();
part("file").onchange = ({ target }) => { if (target.files.length) classify(target.files[0]); };

let recorder = null;
part("record").onclick = async () => {
  if (recorder) {
    recorder.stop();
    return;
  }
  try {
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
    const pieces = [];
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.onstop = () => {
      stream.getTracks().forEach((track) => track.stop());
      const { mimeType } = recorder;
      recorder = null;
      part("record").textContent = "Record";
      classify(new Blob(pieces, { type: mimeType }));
    };
    recorder.start();
    part("record").textContent = "Stop";
    say("Recording.");
  } catch (error) {
    say(`No sound from the microphone: ${error.message || error}`);
  }
};
