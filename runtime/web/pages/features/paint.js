// What is expensive to draw, on the screens that the gesture will show: how many boxes have it, and how many
// screens they cover (of the band, or of one screen for what stays in place).
(({limitMs, screens}) => {
  const names = ['shadow', 'filter', 'backdrop', 'gradient', 'background_image', 'rounded_clip', 'opacity',
                 'will_change', 'transform', 'blend', 'clip_path', 'mask', 'text_shadow', 'fixed', 'sticky',
                 'attached', 'scroller'];
  const result = {boxes: 0, shadow_blur_px: 0, filter_blur_px: 0, text_kchars: 0, text_boxes: 0, area: 0,
                  animations: 0, animations_main: 0, animations_area: 0};
  for (const name of names) result[name] = result[name + '_area'] = 0;
  const bottom = innerHeight * screens, screen = innerWidth * innerHeight;
  const areaOf = (box, below) => Math.max(0, Math.min(box.right, innerWidth) - Math.max(box.left, 0))
    * Math.max(0, Math.min(box.bottom, below) - Math.max(box.top, 0)) / screen;
  // Whose they are: boxes of the same tag and classes are one to a reader.
  const owners = new Map();
  const nameOf = (node) => {
    const classes = get(classesOf, node), id = get(idOf, node);
    const ending = classes.length ? '.' + [classes[0], classes[1]].filter(Boolean).join('.') : id ? '#' + id : '';
    return (get(tagOf, node).toLowerCase() + ending).slice(0, 60);
  };
  const add = (name, area, node) => {
    result[name]++;
    result[name + '_area'] += area;
    const owner = nameOf(node), key = name + ' ' + owner;
    if (!owners.has(key) && owners.size >= 2000) return;
    const known = owners.get(key) || {kind: name, owner, count: 0, area: 0};
    known.count++;
    known.area += area;
    owners.set(key, known);
  };
  const largest = () => names.flatMap((name) => [...owners.values()].filter((each) => each.kind === name)
    .sort((one, other) => other.area - one.area).slice(0, 3));
  const blurs = (text) => [...text.matchAll(/blur\(([\d.]+)px/g)].reduce((sum, each) => sum + Number(each[1]), 0);
  const kidsOf = getter(Node, 'childNodes'), lengthOf = getter(CharacterData, 'length');
  const textLength = (node) => {
    const kids = get(kidsOf, node);
    let length = 0;
    for (let at = 0; at < kids.length && at < 50; at++) if (kids[at] instanceof Text) length += get(lengthOf, kids[at]);
    return length;
  };
  const visit = (node) => {
    const box = boxOf(node);
    if (!(box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < bottom)) return;
    const style = getComputedStyle(node);
    if (style.visibility !== 'visible') return;
    const stays = style.position === 'fixed';
    const area = areaOf(box, stays ? innerHeight : bottom);
    result.boxes++;
    result.area += area;
    if (stays) add('fixed', area, node);
    if (style.position === 'sticky') add('sticky', area, node);
    const shadow = style.boxShadow;
    if (shadow !== 'none') {
      add('shadow', area, node);
      for (const each of shadow.matchAll(/px -?[\d.]+px ([\d.]+)px/g)) result.shadow_blur_px += Number(each[1]);
    }
    if (style.filter !== 'none') { add('filter', area, node); result.filter_blur_px += blurs(style.filter) * area; }
    if (style.backdropFilter !== 'none') {
      add('backdrop', area, node);
      result.filter_blur_px += blurs(style.backdropFilter) * area;
    }
    const background = style.backgroundImage;
    if (background !== 'none') {
      if (background.includes('gradient(')) add('gradient', area, node);
      if (background.includes('url(')) add('background_image', area, node);
      if (style.backgroundAttachment.includes('fixed')) add('attached', area, node);
    }
    if (style.overflowX !== 'visible' && style.borderTopLeftRadius !== '0px') add('rounded_clip', area, node);
    if (/auto|scroll/.test(style.overflowY) && get(scrollHeightOf, node) > get(clientHeightOf, node) + 1) {
      add('scroller', area, node);
    }
    if (Number(style.opacity) < 1) add('opacity', area, node);
    if (style.willChange !== 'auto') add('will_change', area, node);
    if (style.transform !== 'none') add('transform', area, node);
    if (style.mixBlendMode !== 'normal') add('blend', area, node);
    if (style.clipPath !== 'none') add('clip_path', area, node);
    if (style.maskImage && style.maskImage !== 'none') add('mask', area, node);
    const length = textLength(node);
    if (length > 1) {
      result.text_boxes++;
      result.text_kchars += length / 1000;
      if (style.textShadow !== 'none') add('text_shadow', area, node);
    }
  };
  const {seen, isWhole} = walk(limitMs, visit);
  const targetOf = getter(KeyframeEffect, 'target');
  for (const animation of call(Document, 'getAnimations', document).slice(0, 2000)) {
    const effect = animation.effect;
    if (animation.playState !== 'running' || !(effect instanceof KeyframeEffect)) continue;
    const target = get(targetOf, effect);
    if (!target) continue;
    const area = areaOf(boxOf(target), bottom);
    if (area === 0) continue;
    result.animations++;
    result.animations_area += area;
    const own = ['offset', 'computedOffset', 'easing', 'composite', 'transform', 'opacity', 'translate', 'rotate',
                 'scale'];
    // What the compositor cannot move by itself is laid out and painted for each frame.
    if (effect.getKeyframes().some((frame) => Object.keys(frame).some((key) => !own.includes(key)))) {
      result.animations_main++;
    }
  }
  const share = isWhole ? 1 : seen / Math.max(byTag('*').length, seen);
  return {values: result, share, painted: largest()};
})
