// Frames of one or more paths, played side by side by one scrubber, all here: no frame is asked of the server.
const make = (name, attributes = {}, parent) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
};

function build(root, state) {
  root.replaceChildren();
  const screens = make("div", { class: "latent-screens" }, root);
  state.canvases = state.data.strips.map((strip) => {
    const figure = make("figure", {}, screens);
    const canvas = make("canvas", { role: "img", "aria-label": strip.title, width: strip.width, height: strip.height }, figure);
    canvas.style.width = `${state.data.size}px`;
    make("figcaption", {}, figure).textContent = strip.title;
    return canvas;
  });
  const bar = make("div", { class: "latent-bar" }, root);
  state.button = make("button", { type: "button", "data-testid": "playerPlay" }, bar);
  state.range = make("input", { type: "range", min: 0, max: state.data.count - 1, step: 1, "aria-label": "Frame" }, bar);
  state.text = make("output", { "data-testid": "playerText" }, bar);
  state.button.onclick = () => play(state, !state.playing);
  state.range.oninput = () => { play(state, false); show(state, Number(state.range.value)); };
}

function show(state, frame) {
  state.frame = frame;
  state.range.value = frame;
  state.text.textContent = state.data.labels[frame] ?? `${frame + 1} of ${state.data.count}`;
  document.dispatchEvent(new CustomEvent("latent-frame", { detail: { film: state.data.film, frame } })); // see figure.js
  state.data.strips.forEach((strip, i) => {
    const image = state.images[i], context = state.canvases[i].getContext("2d");
    if (image.complete && image.naturalWidth) {
      context.drawImage(image, frame * strip.width, 0, strip.width, strip.height, 0, 0, strip.width, strip.height);
    }
  });
}

function play(state, on, once = false) {
  state.playing = on;
  state.button.textContent = on ? "❚❚" : "▶";
  state.button.setAttribute("aria-label", on ? "Pause" : "Play");
  clearInterval(state.timer);
  let step = 1;
  if (on) {
    state.timer = setInterval(() => {
      if (once && state.frame + 1 >= state.data.count) return play(state, false);
      if (state.frame + step < 0 || state.frame + step >= state.data.count) step = -step; // there and back
      show(state, Math.max(0, Math.min(state.data.count - 1, state.frame + step)));
    }, state.data.pause);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".latent-player");
  const first = !root.state;
  const state = (root.state ??= { frame: 0 });
  const spec = JSON.stringify(data);
  if (state.spec !== spec) {
    const playing = state.playing;
    clearInterval(state.timer);
    Object.assign(state, { spec, data });
    build(root, state);
    state.images = data.strips.map((strip) => {
      const image = new Image();
      image.onload = () => show(state, state.frame);
      image.src = `data:image/png;base64,${strip.png}`;
      return image;
    });
    show(state, Math.min(state.frame, data.count - 1));
    const begin = first && data.begin && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    play(state, begin || Boolean(playing), begin);
  }
  return () => clearInterval(state.timer);
}
