// Where an element stands, as a style sheet would name it: up to its nearest id, four steps at most.
((node) => {
  if (!(node instanceof Element)) return 'document';
  const steps = [];
  for (let at = node; at instanceof Element && steps.length < 4; at = get(parentOf, at)) {
    const tag = get(tagOf, at).toLowerCase(), id = get(idOf, at), classes = get(classesOf, at);
    if (id) { steps.unshift(tag + '#' + id); break; }
    let step = tag + [classes[0], classes[1]].filter(Boolean).map((name) => '.' + name).join('');
    const parent = get(parentOf, at);
    if (parent instanceof Element) {
      let place = 0, alike = 0;
      for (let each = get(firstOf, parent); each; each = get(nextOf, each)) {
        if (get(tagOf, each) !== get(tagOf, at)) continue;
        alike++;
        if (each === at) place = alike;
      }
      if (alike > 1) step += ':nth-of-type(' + place + ')';
    }
    steps.unshift(step);
  }
  return steps.join(' > ').slice(0, 120);
})
