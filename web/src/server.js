// What this page asks of the predictor that served it, and nobody else.

/** A refusal by the server: its status and what it says. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The server, with an access token once one was given; the token is kept nowhere else. */
export class Server {
  #token = null;

  useToken(token) {
    this.#token = token;
  }

  /** Names of the models that can predict. */
  async models() {
    const index = await this.#json("/v2/repository/index", { method: "POST" });
    return index.filter((model) => model.state === "READY").map((model) => model.name);
  }

  /** What is published about a model: how owners encode, under which key, and what the page may show. */
  async model(name) {
    const path = encodeURIComponent(name);
    const [about, parametersBytes, page, audit] = await Promise.all([
      this.#json(`/v2/models/${path}`),
      this.#bytes(`/v1/models/${path}/parameters`),
      this.#optional(`/v1/models/${path}/page`),
      this.#optional(`/v1/models/${path}/audit`),
    ]);
    return {
      name,
      pin: about.versions[0],
      policy: about.parameters,
      parameters: JSON.parse(new TextDecoder().decode(parametersBytes)),
      page,
      audit: audit && JSON.parse(audit.report),
    };
  }

  /** The public key's file. */
  async publicKey(name) {
    return this.#bytes(`/v1/models/${encodeURIComponent(name)}/public-key`);
  }

  /** Output, probabilities and label for one ciphertext or envelope (Open Inference Protocol v2, binary input). */
  async infer(name, item) {
    const size = item.length + 4;
    const input = { name: "ciphertext", datatype: "BYTES", shape: [1], parameters: { binary_data_size: size } };
    const head = new TextEncoder().encode(JSON.stringify({ inputs: [input] }));
    const body = new Uint8Array(head.length + size);
    body.set(head);
    new DataView(body.buffer).setUint32(head.length, item.length, true);
    body.set(item, head.length + 4);
    const headers = { "content-type": "application/octet-stream", "inference-header-content-length": head.length };
    const answer = await this.#json(`/v2/models/${encodeURIComponent(name)}/infer`, { method: "POST", headers, body });
    const of = (tensor) => answer.outputs.find((output) => output.name === tensor).data;
    return { output: of("output"), probabilities: of("probabilities"), label: of("label")[0] };
  }

  async #optional(path) {
    try {
      return await this.#json(path);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  async #json(path, options) {
    return (await this.#ask(path, options)).json();
  }

  async #bytes(path) {
    return new Uint8Array(await (await this.#ask(path)).arrayBuffer());
  }

  async #ask(path, options = {}) {
    const headers = { ...options.headers };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch {
      throw new Refusal(0, "The predictor does not answer. Is it still running?");
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new Refusal(response.status, problem.detail ?? `The predictor answered ${response.status}.`);
  }
}
