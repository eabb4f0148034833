// Structures side by side in 3Dmol.js: they turn together, spin, and leave as one picture. What cannot be drawn is reported.
let loading;

function library(url) {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI);
    script.onload = () => (window.$3Dmol ? done(window.$3Dmol) : fail(new Error("script")));
    script.onerror = () => { loading = undefined; fail(new Error("script")); };
    document.head.append(script);
  });
  return loading;
}

const make = (name, attributes = {}, parent, text) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
};

const drawable = () => {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(gl);
};

// Panels, captions and buttons; the viewers stay as long as their number does, and with them the view.
function build(state, root) {
  const { data } = state;
  state.viewers.forEach(drop);
  root.replaceChildren();
  const row = make("div", { class: "latent-molecules" }, root);
  state.panels = data.texts.map(() => {
    const figure = make("figure", {}, row);
    const panel = make("div", { class: "latent-molecule", role: "img" }, figure);
    panel.style.height = `${data.height}px`;
    return { panel, caption: make("figcaption", {}, figure) };
  });
  const legend = make("div", { class: "latent-scale" }, root);
  state.title = make("span", {}, legend);
  state.low = make("span", {}, legend);
  state.bar = make("span", { class: "latent-scale-bar", "aria-hidden": "true" }, legend);
  state.high = make("span", {}, legend);
  const bar = make("div", { class: "latent-molecule-bar" }, root);
  state.spin = make("button", { type: "button", "aria-pressed": "false", "data-testid": "moleculeSpin" }, bar, "Spin");
  make("button", { type: "button", "data-testid": "moleculeReset" }, bar, "Reset view").onclick = () =>
    state.viewers.forEach((viewer) => front(viewer, state.data.turn));
  make("button", { type: "button", "data-testid": "moleculeSnapshot" }, bar, "Save picture").onclick = () => snapshot(state);
  state.told = make("output", { "data-testid": "moleculeText" }, bar);
  state.spin.onclick = () => spin(state, !state.spinning);
  state.viewers = state.panels.map(({ panel }) => state.library.createViewer(panel, { backgroundColor: data.paper, antialias: true, disableFog: true }));
  if (state.viewers.some((viewer) => !viewer)) throw new Error("webgl");
  for (const one of state.viewers) for (const other of state.viewers) if (one !== other) one.linkViewer(other);
  state.watch?.disconnect();
  state.watch = new ResizeObserver(() => root.offsetWidth && state.viewers.forEach((viewer) => viewer.resize()));
  state.watch.observe(root);
  spin(state, Boolean(state.spinning));
}

function fill(state, fresh) {
  const { data } = state;
  data.texts.forEach(({ caption, pdb }, i) => {
    const viewer = state.viewers[i];
    viewer.setBackgroundColor(data.paper);
    viewer.removeAllModels();
    viewer.addModel(pdb, "pdb");
    viewer.setStyle({}, data.style);
    const say = (atom) => { state.told.textContent = atom ? `${atom.resn} ${atom.resi}: ${atom.b.toFixed(2)} ${data.unit}` : ""; };
    viewer.setHoverDuration(80);
    viewer.setHoverable({}, true, say, () => say());
    state.panels[i].panel.setAttribute("aria-label", caption);
    state.panels[i].caption.textContent = caption;
    if (fresh) front(viewer, data.turn);
    viewer.render();
  });
  state.title.textContent = data.legend.title;
  state.low.textContent = data.legend.low;
  state.high.textContent = data.legend.high;
  state.bar.style.background = `linear-gradient(to right, ${data.legend.colours.join(", ")})`;
}

function front(viewer, turn) {
  viewer.setView([0, 0, 0, 0, ...turn], true);
  viewer.zoomTo();
  const frame = viewer.getCanvas();
  viewer.zoom(Math.min(1, frame.width / frame.height)); // its own margin is wide, but in a narrow frame
  viewer.render();
}

// 3Dmol.js has a spin of its own, by a timer that leaves a slow machine no time for anything else.
function spin(state, on) {
  state.spinning = on;
  cancelAnimationFrame(state.frame);
  let last = performance.now();
  const step = (now) => {
    state.viewers[0]?.rotate(0.03 * Math.min(now - last, 100), "y"); // degrees; the others follow it
    last = now;
    state.frame = requestAnimationFrame(step);
  };
  if (on) state.frame = requestAnimationFrame(step);
  state.spin?.setAttribute("aria-pressed", String(on));
}

function drop(viewer) {
  const canvas = viewer.getCanvas?.();
  (canvas?.getContext("webgl2") ?? canvas?.getContext("webgl"))?.getExtension("WEBGL_lose_context")?.loseContext();
}

async function snapshot(state) {
  const pictures = await Promise.all(state.viewers.map((viewer) => new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = fail;
    image.src = viewer.pngURI();
  })));
  const line = Math.max(16, Math.round(pictures[0].width / 32));
  const canvas = make("canvas", { width: pictures.reduce((sum, p) => sum + p.width, 0), height: pictures[0].height + 4 * line });
  const context = canvas.getContext("2d");
  context.fillStyle = state.data.paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = state.data.ink;
  context.font = `${line}px sans-serif`;
  let left = 0;
  pictures.forEach((picture, i) => {
    context.drawImage(picture, left, 0);
    let words = "", y = picture.height + 1.2 * line;
    for (const word of state.data.texts[i].caption.split(" ")) {
      if (context.measureText(`${words} ${word}`).width > picture.width - line) { context.fillText(words, left, y); words = ""; y += 1.2 * line; }
      words = words ? `${words} ${word}` : word;
    }
    context.fillText(words, left, y);
    left += picture.width;
  });
  canvas.toBlob((blob) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: `${state.data.name}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

async function draw(state, root) {
  if (!drawable()) throw new Error("webgl");
  state.library = await library(state.data.script);
  const fresh = state.viewers.length !== state.data.texts.length || !root.contains(state.panels?.[0]?.panel);
  try {
    if (fresh) build(state, root);
    fill(state, fresh);
  } catch (error) {
    console.warn("3Dmol.js could not draw:", error);
    throw new Error("webgl");
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".latent-structure");
  const state = (root.state ??= { viewers: [] });
  const spec = JSON.stringify(data);
  if (state.spec !== spec) {
    Object.assign(state, { spec, data });
    root.style.minHeight = `${data.height}px`;
    state.last = (state.last ?? Promise.resolve()).then(() => draw(state, root)).catch((error) => {
      if (!state.failed) setTriggerValue("failed", error.message === "script" ? "script" : "webgl");
      state.failed = true;
    });
  }
  return () => {
    state.watch?.disconnect();
    cancelAnimationFrame(state.frame);
    state.viewers.forEach(drop);
    root.state = undefined;
  };
}
