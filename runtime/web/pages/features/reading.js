// What a page's names and prototypes cannot change: an element called `attributes` inside a form hides the
// form's own, so everything is read through the getters of the prototypes of this world.
const getter = (type, name) => Object.getOwnPropertyDescriptor(type.prototype, name).get;
const get = (found, node) => Reflect.apply(found, node, []);
const call = (type, name, node, ...args) => Reflect.apply(type.prototype[name], node, args);
const parentOf = getter(Node, 'parentNode');
const firstOf = getter(Element, 'firstElementChild');
const nextOf = getter(Element, 'nextElementSibling');
const tagOf = getter(Element, 'tagName');
const idOf = getter(Element, 'id');
const attributesOf = getter(Element, 'attributes');
const classesOf = getter(Element, 'classList');
const scrollHeightOf = getter(Element, 'scrollHeight');
const clientHeightOf = getter(Element, 'clientHeight');
const shadowOf = getter(Element, 'shadowRoot');
const documentOf = getter(HTMLIFrameElement, 'contentDocument');
const rootOfPage = getter(Document, 'documentElement');
const rootOf = (page) => get(rootOfPage, page);
const firstInRoot = getter(DocumentFragment, 'firstElementChild');
const boxOf = (node) => call(Element, 'getBoundingClientRect', node);
const byTag = (tag) => call(Document, 'getElementsByTagName', document, tag);

// Calls visit(element, depth) in the order of the document, shadow trees and frames of the same site too, until
// the time is over; returns how many were visited and whether that was all.
const walk = (limitMs, visit) => {
  const end = performance.now() + limitMs;
  const roots = [[rootOf(document), 0]];
  let seen = 0;
  while (roots.length) {
    const [root, base] = roots.pop();
    let node = root, depth = base;
    while (node) {
      if ((++seen & 63) === 0 && performance.now() > end) return {seen, isWhole: false};
      visit(node, depth);
      const shadow = get(shadowOf, node);
      if (shadow) for (let top = get(firstInRoot, shadow); top; top = get(nextOf, top)) roots.push([top, depth + 1]);
      if (node instanceof HTMLIFrameElement) {
        const inside = get(documentOf, node);
        if (inside) roots.push([rootOf(inside), depth + 1]);
      }
      let next = get(firstOf, node);
      if (next) { depth++; node = next; continue; }
      while (node !== root && !(next = get(nextOf, node))) { node = get(parentOf, node); depth--; }
      node = node === root ? null : next;
    }
  }
  return {seen, isWhole: true};
};
