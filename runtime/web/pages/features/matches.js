// Selectors weighted by the elements that they match, as Camel does (arXiv 2005.00749): evenly drawn rules, as
// many as the time allows, stand for all.
(({limitMs}) => {
  const end = performance.now() + limitMs;
  const found = [];
  const collect = (rules) => {
    for (const rule of rules) {
      if (found.length > 50000) return;
      if (rule instanceof CSSStyleRule) found.push(rule.selectorText);
      else if (rule instanceof CSSMediaRule ? matchMedia(rule.conditionText).matches : rule.cssRules) {
        if (!(rule instanceof CSSKeyframesRule)) collect(rule.cssRules);
      }
    }
  };
  for (const sheet of get(getter(Document, 'styleSheets'), document)) {
    try { if (!sheet.disabled) collect(sheet.cssRules); } catch { continue; }
  }
  const result = {rules_used: 0, matched: 0, by_class: 0, by_id: 0, by_attribute: 0, descendant: 0, child: 0,
                  sibling: 0, pseudo: 0, hover: 0, universal: 0};
  // A step that shares no factor with their number visits each once, far ones early.
  const step = Math.max(1, Math.floor(found.length * 0.618)) | 1;
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  let stride = step;
  while (found.length && gcd(stride, found.length) !== 1) stride += 2;
  let tried = 0;
  for (let at = 0; tried < found.length && performance.now() < end; at = (at + stride) % found.length) {
    tried++;
    const text = found[at];
    let matched = 0;
    try { matched = call(Document, 'querySelectorAll', document, text.replace(/:hover|:focus|:active/g, '')).length; }
    catch { continue; }
    if (!matched) continue;
    result.rules_used++;
    result.matched += matched;
    if (/\.[\w-]/.test(text)) result.by_class += matched;
    if (/#[\w-]/.test(text)) result.by_id += matched;
    if (/\[/.test(text)) result.by_attribute += matched;
    if (/[\w\])]\s+[\w.#[*:]/.test(text)) result.descendant += matched;
    if (/>/.test(text)) result.child += matched;
    if (/[+~](?!=)/.test(text)) result.sibling += matched;
    if (/:/.test(text)) result.pseudo += matched;
    if (/:hover/.test(text)) result.hover += matched;
    if (/\*/.test(text)) result.universal += matched;
  }
  const share = found.length ? tried / found.length : 1;
  for (const name of Object.keys(result)) result[name] /= share || 1;
  return {values: result, share};
})
