// Rules and the patterns of their selectors; a style sheet of another site does not let itself be read.
(({limitMs}) => {
  const end = performance.now() + limitMs;
  const result = {
    sheets: 0, unreadable_sheets: 0, rules: 0, declarations: 0, media_rules: 0, keyframes: 0, font_faces: 0,
    selectors: 0, by_class: 0, by_id: 0, by_attribute: 0, by_element: 0, universal: 0, descendant: 0, child: 0,
    sibling: 0, pseudo: 0, hover: 0, has: 0, nth: 0, variables: 0,
  };
  const count = (text, pattern) => (text.match(pattern) ?? []).length;
  let isWhole = true, seen = 0;
  const read = (rules) => {
    for (const rule of rules) {
      if ((++seen & 31) === 0 && performance.now() > end) { isWhole = false; return; }
      result.rules++;
      if (rule instanceof CSSKeyframesRule) { result.keyframes++; continue; }
      if (rule instanceof CSSFontFaceRule) result.font_faces++;
      if (rule instanceof CSSMediaRule && !matchMedia(rule.conditionText).matches) { result.media_rules++; continue; }
      if (rule instanceof CSSStyleRule) {
        const text = rule.selectorText;
        result.selectors += 1 + count(text, /,/g);
        result.by_class += count(text, /\.[\w-]/g);
        result.by_id += count(text, /#[\w-]/g);
        result.by_attribute += count(text, /\[/g);
        result.by_element += count(text, /(^|[\s>+~,(])[a-z]/gi);
        result.universal += count(text, /\*/g);
        result.child += count(text, />/g);
        result.sibling += count(text, /[+~](?!=)/g);
        result.descendant += count(text, /[\w\])]\s+[\w.#[*:]/g);
        result.pseudo += count(text, /:/g);
        result.hover += count(text, /:hover/g);
        result.has += count(text, /:has\(/g);
        result.nth += count(text, /:nth-/g);
        result.declarations += rule.style.length;
        if (rule.style.length && rule.style[0].startsWith('--')) result.variables += rule.style.length;
      }
      if (rule.cssRules?.length) read(rule.cssRules);
      if (rule.styleSheet) readSheet(rule.styleSheet);
    }
  };
  const readSheet = (sheet) => {
    if (sheet.disabled || !isWhole) return;
    result.sheets++;
    let rules;
    try { rules = sheet.cssRules; } catch { result.unreadable_sheets++; return; }
    read(rules);
  };
  for (const sheet of get(getter(Document, 'styleSheets'), document)) readSheet(sheet);
  for (const sheet of get(getter(Document, 'adoptedStyleSheets'), document)) readSheet(sheet);
  return {values: result, share: isWhole ? 1 : null};
})
