// The socket to the session. Nothing that was sent is forgotten before it was answered.

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5000;
const KEPT = "stroma.unanswered";

/**
 * A connection that comes back by itself.
 *
 * A message has an id, and stays in the outbox until its answer arrives. After a break all that is
 * left is sent again, in order; the server answers what it has done already without doing it again.
 * The outbox is kept for this tab, so that reloading the page loses nothing either.
 *
 * Events: "event" (detail: what the server tells), "open", "closed", "unanswered" (detail: count),
 * "lost" (detail: why something sent before a reload was not done).
 */
export class Connection extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, {message: any, resolve: (a: any) => void, reject: (e: Error) => void}>} */
    this.outbox = new Map();
    /** @type {WebSocket | null} */
    this.socket = null;
    this.wait = FIRST_WAIT;
    /** Which run of the server messages are meant for; told by its state. */
    this.epoch = "";
    /** Which project they are meant for. */
    this.home = "";
    this._restore();
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/socket`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.wait = FIRST_WAIT;
      for (const { message } of this.outbox.values()) socket.send(JSON.stringify(message));
      this._tell("open");
    });
    socket.addEventListener("message", (got) => this._take(JSON.parse(got.data)));
    socket.addEventListener("close", () => {
      this._tell("closed");
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    });
  }

  /**
   * Send a command; the promise is kept when the session has done it.
   * @param {string} command
   * @param {Record<string, any>} [values]
   * @returns {Promise<any>} what the session answers
   */
  send(command, values = {}) {
    const message = { id: newNumber(), epoch: this.epoch, home: this.home, do: command, ...values };
    return new Promise((resolve, reject) => {
      this.outbox.set(message.id, { message, resolve, reject });
      this._keep();
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    });
  }

  /** @param {any} got */
  _take(got) {
    if (got.re === undefined) {
      this._tell("event", got);
      return;
    }
    const waiting = this.outbox.get(got.re);
    if (!waiting) return;
    this.outbox.delete(got.re);
    this._keep();
    if (got.error) waiting.reject(new Error(got.error));
    else waiting.resolve(got.result);
  }

  _keep() {
    const left = [...this.outbox.values()].map(({ message }) => message);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(left));
    } catch {
      // The browser's storage is full or switched off: the outbox still holds everything.
    }
    this._tell("unanswered", left.length);
  }

  _restore() {
    for (const message of JSON.parse(sessionStorage.getItem(KEPT) ?? "[]")) {
      const reject = (/** @type {Error} */ error) => this._tell("lost", error.message);
      this.outbox.set(message.id, { message, resolve: () => {}, reject });
    }
  }

  /**
   * @param {string} name
   * @param {any} [detail]
   */
  _tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Return a number that no other message has; also where the page is not served securely. */
function newNumber() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(16)).join("-");
}
