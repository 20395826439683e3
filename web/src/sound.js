// A recording, from a file or the microphone: a WAV file as it is, everything else as samples at the rate of the training data.

/** Longer ones are no words; the microphone stops by itself. */
const SECONDS = 10;
const MOST_BYTES = 64 << 20;

const at = (id) => document.getElementById(id);

/** `changed({file} | {samples, rate})` hears of a recording; `failed(message)` of what went wrong. */
export class SoundInput {
  #changed;
  #failed;
  #rate = 8000;
  #recording = null; // { end(wanted) }

  constructor({ changed, failed }) {
    this.#changed = changed;
    this.#failed = failed;
    at("sound-file").onchange = (event) => this.#guarded(() => this.#take(event.target.files[0]));
    at("record").onclick = () => this.#guarded(() => (this.#recording ? this.#recording.end(true) : this.#record()));
    const heard = Boolean(navigator.mediaDevices?.getUserMedia && globalThis.AudioWorkletNode);
    at("record").disabled = !heard;
    if (!heard) at("record").title = "A microphone needs HTTPS, or a server on this machine.";
  }

  /** The analysis of the model. */
  show({ rate }) {
    // What is heard now was meant for another model.
    this.#recording?.end(false);
    // What every browser offers; nothing above half of it is looked at.
    this.#rate = Math.max(8000, rate);
    at("sound-file").value = "";
  }

  async #take(file) {
    if (!file) return;
    if (file.size > MOST_BYTES) throw new Error("The file is too large for a word or a phrase.");
    const bytes = new Uint8Array(await file.arrayBuffer());
    const word = (from) => String.fromCharCode(...bytes.subarray(from, from + 4));
    if (word(0) === "RIFF" && word(8) === "WAVE") return this.#changed({ file: bytes });
    let decoded;
    try {
      decoded = await new OfflineAudioContext(1, 1, this.#rate).decodeAudioData(bytes.buffer);
    } catch {
      throw new Error("This browser cannot read that file. Save it as a WAV file.");
    }
    return this.#changed({ samples: mixed(decoded), rate: decoded.sampleRate });
  }

  /** Listens until it is stopped. */
  async #record() {
    const wanted = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    at("record").disabled = true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    } finally {
      at("record").disabled = false;
    }
    const context = new AudioContext();
    const blocks = [];
    let length = 0;
    let whole = false;
    const ended = new Promise((resolve) => { this.#recording = { end: resolve }; });
    at("record").textContent = "Stop";
    at("sound-text").textContent = `Listening, for ${SECONDS} seconds at most.`;
    try {
      await context.audioWorklet.addModule("page/tap.js");
      const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
      tap.port.onmessage = ({ data }) => {
        blocks.push(data);
        length += data.length;
        at("loudness").value = Math.sqrt(data.reduce((sum, sample) => sum + sample * sample, 0) / data.length) * 3;
        if (length > SECONDS * context.sampleRate) this.#recording?.end(true);
      };
      context.createMediaStreamSource(stream).connect(tap);
      whole = await ended;
    } finally {
      for (const track of stream.getTracks()) track.stop();
      await context.close();
      this.#recording = null;
      at("record").textContent = "Record again";
      at("loudness").value = 0;
    }
    if (!whole) return undefined;
    if (length === 0) throw new Error("The microphone gave no sound.");
    return this.#changed({ samples: await this.#resampled(blocks, length, context.sampleRate), rate: this.#rate });
  }

  async #resampled(blocks, length, rate) {
    const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil((length * this.#rate) / rate)), this.#rate);
    const buffer = offline.createBuffer(1, length, rate);
    let start = 0;
    for (const block of blocks) {
      buffer.copyToChannel(block, 0, start);
      start += block.length;
    }
    const source = offline.createBufferSource();
    source.buffer = buffer;
    source.connect(offline.destination);
    source.start();
    return mixed(await offline.startRendering());
  }

  async #guarded(work) {
    try {
      await work();
    } catch (error) {
      this.#failed(error.name === "NotAllowedError" ? "The microphone was not allowed." : error.message);
    }
  }
}

/** The mean of all channels. */
function mixed(buffer) {
  const out = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    buffer.getChannelData(channel).forEach((sample, place) => { out[place] += sample / buffer.numberOfChannels; });
  }
  return out;
}
