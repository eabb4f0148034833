// A Plotly figure that is changed in place: zoom stays, nothing blinks, and a click anywhere in it is reported.
let loading;

function plotly(url) {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI);
    script.onload = () => done(window.Plotly);
    script.onerror = () => { loading = undefined; fail(new Error(`${url} did not load`)); };
    document.head.append(script);
  });
  return loading;
}

const fullscreen = {
  name: "fullscreen",
  title: "Full screen",
  icon: { width: 24, height: 24, path: "M3 3h7v2H5v5H3zm11 0h7v7h-2V5h-5zM3 14h2v5h5v2H3zm16 0h2v7h-7v-2h5z" },
  click: (plot) => (document.fullscreenElement ? document.exitFullscreen() : plot.requestFullscreen()),
};

const brief = (point) => ({
  curve_number: point.curveNumber,
  point_index: Array.isArray(point.pointIndex) ? point.pointIndex : (point.pointIndex ?? point.pointNumber),
  x: point.x,
  y: point.y,
});

// The corners of a lasso or a box, in the figure's own coordinates.
const outline = ({ lassoPoints, range }) => {
  if (lassoPoints?.x) return lassoPoints.x.map((x, i) => [x, lassoPoints.y[i]]);
  if (!range?.x) return [];
  const [[a, b], [c, d]] = [range.x, range.y];
  return [[a, c], [b, c], [b, d], [a, d]];
};

// The side of the square tiles (`layout.meta.tiles`) that this width makes; undefined of any other figure.
const sideOf = ({ meta }, width) =>
  meta?.tiles && width ? Math.min(Math.max((width - meta.tiles.beside) / meta.tiles.across, meta.tiles.least), meta.tiles.most) : undefined;

// The height of such a figure.
const fitting = (layout, width) => {
  const side = sideOf(layout, width);
  return side && Math.round(layout.meta.tiles.down * (side + layout.meta.tiles.around));
};

// Below small tiles what is said of each takes two lines: the gap between two rows has room for them.
const NARROW = 195;
function wrapped(layout, width) {
  const larger = layout.meta?.tiles?.larger ?? 1; // in a presentation, whose words are longer
  if (!(sideOf(layout, width) < NARROW * larger)) return;
  for (const note of layout.annotations ?? []) {
    const text = note.text.replace(/ · (?=[^·]*$)|; /, "<br>");
    if (text !== note.text) Object.assign(note, { text, align: "left", font: { ...note.font, size: 11 * larger } });
  }
  layout.margin.b += 12 * larger;
}

// After the texts of the same run are on the screen: they are read first, and drawing holds up the page.
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

// Draw what is waiting, once the plot is on the screen or nearly so; of several that wait only the last.
async function draw(plot) {
  if (!plot.waiting || !plot.near) return;
  const Plotly = await plotly(plot.waiting.plotly);
  await painted();
  const data = plot.waiting;
  if (!data || !plot.near) return;
  plot.waiting = undefined;
  const figure = JSON.parse(data.spec);
  const config = { ...data.config, modeBarButtonsToAdd: [fullscreen], edits: { annotationTail: data.drag } };
  const layout = { ...figure.layout, autosize: true, clickanywhere: data.select };
  layout.height = fitting(layout, plot.offsetWidth) ?? layout.height;
  wrapped(layout, plot.offsetWidth);
  if (layout.meta?.tiles) plot.style.minHeight = `${layout.height}px`;
  await Plotly.react(plot, { data: figure.data, frames: figure.frames, layout, config });
  byKeyboard(plot, data.select);
  if (plot.watched) return;
  plot.watched = new ResizeObserver(() => {
    if (!plot.offsetWidth) return;
    Plotly.Plots.resize(plot).then(() => {
      if (!plot.layout) return; // it was taken away meanwhile
      const height = fitting(plot.layout, plot.offsetWidth);
      if (height && height !== plot.layout.height) Plotly.relayout(plot, { height, autosize: true });
    });
  });
  plot.watched.observe(plot);
  document.addEventListener("latent-frame", plot.follow);
  plot.on("plotly_click", (event) => {
    const [x, y] = [event.xvals?.[0] ?? event.points[0]?.x, event.yvals?.[0] ?? event.points[0]?.y];
    if (x !== undefined) plot.tell("picked", { x, y, points: event.points.slice(0, 1).map(brief) });
  });
  plot.on("plotly_relayout", (change) => {
    together(plot, change);
    const name = Object.keys(change).find((key) => /^annotations\[\d+\]\.ax$/.test(key));
    if (name) plot.tell("dragged", { x: change[name], y: change[name.replace(/ax$/, "ay")] });
  });
  plot.on("plotly_selected", (event) => event && plot.tell("picked", { points: event.points.map(brief), region: outline(event) }));
  plot.on("plotly_deselect", () => plot.tell("picked", { points: [] }));
}

// What a zoom, a pan or a turn changes, and nothing else.
const view = (change) =>
  Object.fromEntries(Object.entries(change).filter(([key]) => /^([xy]axis\d*\.(range|autorange)|scene\d*\.camera)/.test(key)));

// Move the other figures of the same group as this one was moved.
function together(plot, change) {
  const moved = view(change);
  if (!plot.group || plot.follows || !Object.keys(moved).length) return;
  for (const other of document.querySelectorAll(".latent-figure")) {
    if (other === plot || other.group !== plot.group || !other.layout) continue;
    other.follows = true;
    window.Plotly.relayout(other, moved).finally(() => { other.follows = false; });
  }
}

// Without a mouse: arrows move a ring over the picture (with Shift further), Enter is a click where it stands.
function byKeyboard(plot, pickable) {
  if (!pickable) return;
  plot.tabIndex = 0;
  plot.setAttribute("aria-description", "Arrow keys move a ring over the picture, Enter picks the place below it.");
  if (plot.keyed) return;
  plot.keyed = true;
  const ring = document.createElement("div");
  ring.setAttribute("aria-hidden", "true");
  Object.assign(ring.style, {
    position: "fixed", width: "16px", height: "16px", margin: "-8px 0 0 -8px", borderRadius: "50%", pointerEvents: "none",
    border: "2px solid currentColor", outline: "2px solid rgba(127, 127, 127, .5)", display: "none", zIndex: 1000,
  });
  const at = { x: 0.5, y: 0.5 };
  const layer = () => plot.querySelector(".nsewdrag");
  const spot = () => {
    const box = layer().getBoundingClientRect();
    return { clientX: box.left + at.x * box.width, clientY: box.top + at.y * box.height, bubbles: true, cancelable: true, view: window };
  };
  const show = () => {
    const { clientX, clientY } = spot();
    Object.assign(ring.style, { display: "block", left: `${clientX}px`, top: `${clientY}px` });
    layer().dispatchEvent(new MouseEvent("mousemove", spot()));
  };
  plot.addEventListener("keydown", (event) => {
    if (event.target !== plot || !layer()) return;
    const step = event.shiftKey ? 0.1 : 0.01;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (move) {
      at.x = Math.min(Math.max(at.x + move[0], 0), 1);
      at.y = Math.min(Math.max(at.y + move[1], 0), 1);
      show();
    } else if (event.key === "Enter") {
      show();
      layer().dispatchEvent(new MouseEvent("mousedown", { ...spot(), button: 0, buttons: 1 }));
      document.dispatchEvent(new MouseEvent("mouseup", { ...spot(), button: 0 }));
    } else return;
    event.preventDefault();
  });
  plot.addEventListener("blur", () => { ring.style.display = "none"; });
  plot.append(ring);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const plot = parentElement.querySelector(".latent-figure");
  const attempt = () => draw(plot).catch((error) => {
    plot.textContent = `${data.alt}: this figure cannot be drawn (${error.message}).`;
  });
  plot.tell = setTriggerValue;
  plot.group = data.group;
  if (!plot.sight) {
    plot.sight = new IntersectionObserver(([entry]) => { plot.near = entry.isIntersecting; attempt(); }, { rootMargin: "400px" });
    plot.sight.observe(plot);
  }
  if (plot.spec !== data.spec) {
    plot.spec = data.spec;
    plot.waiting = data;
    plot.setAttribute("aria-label", data.alt);
    plot.style.minHeight = `${data.height}px`;
    attempt();
  }
  plot.follow ??= ({ detail }) => { // a film beside it moves a mark (`layout.meta.follows`, see player.js)
    const { follows, marks } = plot.layout?.meta ?? {};
    if (follows && follows === detail.film && plot.layout.shapes?.length) {
      const x = marks[detail.frame];
      window.Plotly.relayout(plot, { "shapes[0].x0": x, "shapes[0].x1": x });
    }
  };
  return () => {
    document.removeEventListener("latent-frame", plot.follow);
    plot.sight?.disconnect();
    plot.watched?.disconnect();
    if (window.Plotly && plot.watched) window.Plotly.purge(plot);
    plot.sight = plot.near = plot.watched = plot.spec = plot.waiting = undefined;
  };
}
