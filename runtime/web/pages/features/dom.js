// What the page is made of, and how much of it lies in the band of screens that the gesture will show.
(({limitMs, tags, screens}) => {
  const counts = Object.fromEntries(tags.map((tag) => [tag, 0]));
  let depthSum = 0, depthMost = 0, attributes = 0, classes = 0, inlineStyles = 0, ids = 0, handlers = 0;
  let shadowRoots = 0, inBand = 0;
  const bottom = innerHeight * screens;
  const {seen, isWhole} = walk(limitMs, (node, depth) => {
    const tag = get(tagOf, node).toLowerCase();
    const kind = /^h[1-6]$/.test(tag) ? 'heading' : tag;
    if (kind in counts) counts[kind]++;
    depthSum += depth;
    if (depth > depthMost) depthMost = depth;
    const list = get(attributesOf, node);
    attributes += list.length;
    for (let at = 0; at < list.length && at < 50; at++) {
      const name = list[at].name;
      if (name === 'class') classes += get(classesOf, node).length;
      else if (name === 'style') inlineStyles++;
      else if (name === 'id') ids++;
      else if (name.startsWith('on')) handlers++;
    }
    if (get(shadowOf, node)) shadowRoots++;
    const box = boxOf(node);
    if (box.bottom > 0 && box.top < bottom && box.width > 0 && box.height > 0) inBand++;
  });
  const all = byTag('*').length;
  // A walk that was cut short stands for the rest, too.
  const scale = isWhole ? 1 : Math.max(1, all / seen);
  const result = {
    elements: Math.max(all, seen), depth: depthMost, depth_mean: depthSum / seen, attributes: attributes * scale,
    classes: classes * scale, inline_styles: inlineStyles * scale, ids: ids * scale, handlers: handlers * scale,
    shadow_roots: shadowRoots * scale, in_band: inBand,
    width_screens: get(getter(Element, 'scrollWidth'), rootOf(document)) / innerWidth,
    layout_width_px: innerWidth,
  };
  for (const tag of tags) result['tag_' + tag] = counts[tag] * scale;
  return {values: result, share: isWhole ? 1 : seen / Math.max(all, seen)};
})
