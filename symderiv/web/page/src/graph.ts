// What a function is made of: boxes in layers, values forward, derivatives back. Placed by dagre, set by KaTeX.
import dagre from "@dagrejs/dagre";
import { h } from "./dom";
import { maths } from "./maths";

interface GraphNode { name: string; kind: string; label: string; text: string; wanted: boolean }
interface GraphEdge { tail: string; head: string; shape: string; back: string[] }
export interface GraphData { function: string; nodes: GraphNode[]; edges: GraphEdge[] }

const SVG = "http://www.w3.org/2000/svg";

function s(name: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

export function drawGraph(into: HTMLElement, data: GraphData): void {
  const stage = h("div", { class: "graph-stage" });
  const frame = h("div", { class: "graph", tabindex: "0", role: "group", "aria-label": data.nodes.map((node) => node.text).join("; ") }, stage);
  into.append(frame);

  const drawn = new dagre.graphlib.Graph({ multigraph: true });
  drawn.setGraph({ rankdir: "BT", nodesep: 46, ranksep: 58, edgesep: 30, marginx: 8, marginy: 8 });
  drawn.setDefaultEdgeLabel(() => ({}));
  const boxes = new Map<string, HTMLElement>();
  for (const node of data.nodes) {
    const box = h("div", { class: `graph-node ${node.kind}${node.wanted ? " wanted" : ""}`, title: node.text }, maths(node.label));
    stage.append(box);
    boxes.set(node.name, box);
    drawn.setNode(node.name, { width: box.offsetWidth, height: box.offsetHeight });
  }
  const labels = data.edges.map((edge) => {
    const label = h("div", { class: "graph-label" },
      edge.shape ? h("span", { class: "graph-value" }, maths(edge.shape)) : null,
      edge.back.length ? h("span", { class: "graph-back" }, edge.back.slice(0, -1).map((line) => maths(line))) : null);
    stage.append(label);
    return label;
  });
  data.edges.forEach((edge, k) => drawn.setEdge(edge.tail, edge.head, { width: labels[k]!.offsetWidth + 16, height: labels[k]!.offsetHeight, labelpos: "c" }, String(k)));
  dagre.layout(drawn);

  const size = drawn.graph();
  const width = Math.ceil(size.width ?? 0), height = Math.ceil(size.height ?? 0);
  stage.style.width = `${width}px`;
  stage.style.height = `${height}px`;
  stage.style.zoom = String(Math.max(0.55, Math.min(1, frame.clientWidth / width)));
  for (const [name, box] of boxes) at(box, drawn.node(name));
  const lines = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, s("defs", {}, arrow("value"), arrow("back")));
  data.edges.forEach((edge, k) => {
    const found = drawn.edge({ v: edge.tail, w: edge.head, name: String(k) });
    const points = found.points as { x: number; y: number }[];
    at(labels[k]!, found as { x: number; y: number });
    lines.append(s("path", { class: "graph-line value", d: curve(points, -3), "marker-end": "url(#arrow-value)" }));
    if (edge.back.length) lines.append(s("path", { class: "graph-line back", d: curve([...points].reverse(), -3), "marker-end": "url(#arrow-back)" }));
  });
  stage.prepend(lines);
}

function at(element: HTMLElement, place: { x: number; y: number }): void {
  element.style.left = `${place.x - element.offsetWidth / 2}px`;
  element.style.top = `${place.y - element.offsetHeight / 2}px`;
}

function arrow(kind: string): SVGElement {
  return s("marker", { id: `arrow-${kind}`, class: `arrow-${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, s("path", { d: "M0 0.5 8 4 0 7.5z" }));
}

// A smooth line through points, moved aside so that there and back do not lie on each other.
function curve(points: { x: number; y: number }[], aside: number): string {
  const first = points[0]!, last = points[points.length - 1]!;
  const length = Math.hypot(last.x - first.x, last.y - first.y) || 1;
  const dx = (-(last.y - first.y) / length) * aside, dy = ((last.x - first.x) / length) * aside;
  const moved = points.map((p) => ({ x: p.x + dx, y: p.y + dy }));
  let path = `M${moved[0]!.x} ${moved[0]!.y}`;
  for (let k = 1; k < moved.length - 1; k += 1) {
    const here = moved[k]!, next = moved[k + 1]!;
    const end = k === moved.length - 2 ? next : { x: (here.x + next.x) / 2, y: (here.y + next.y) / 2 };
    path += `Q${here.x} ${here.y} ${end.x} ${end.y}`;
  }
  return moved.length > 2 ? path : `${path}L${moved[moved.length - 1]!.x} ${moved[moved.length - 1]!.y}`;
}
