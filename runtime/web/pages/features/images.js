// Pictures and what else holds pixels: how many, how many megapixels once decoded, how much of the band.
(({limitMs, screens}) => {
  const end = performance.now() + limitMs;
  const result = {images: 0, mpx: 0, in_band: 0, in_band_mpx: 0, area: 0, shrunk_mpx: 0, lazy: 0, unloaded: 0,
                  svgs: 0, svg_area: 0, canvases: 0, canvas_mpx: 0, canvas_area: 0, videos: 0, video_area: 0,
                  frames: 0, frame_area: 0};
  const bottom = innerHeight * screens, screen = innerWidth * innerHeight;
  let isWhole = true;
  const each = (tag, most, visit) => {
    const found = byTag(tag);
    for (let at = 0; at < found.length; at++) {
      if (at >= most || ((at & 31) === 31 && performance.now() > end)) { isWhole = false; return; }
      const box = boxOf(found[at]);
      const area = Math.max(0, Math.min(box.right, innerWidth) - Math.max(box.left, 0))
        * Math.max(0, Math.min(box.bottom, bottom) - Math.max(box.top, 0)) / screen;
      visit(found[at], area, box.width * box.height);
    }
  };
  const widthOf = getter(HTMLImageElement, 'naturalWidth'), heightOf = getter(HTMLImageElement, 'naturalHeight');
  const loadingOf = getter(HTMLImageElement, 'loading');
  each('img', 20000, (node, area, shownPx) => {
    const px = get(widthOf, node) * get(heightOf, node);
    result.images++;
    result.mpx += px / 1e6;
    if (px === 0) result.unloaded++;
    if (get(loadingOf, node) === 'lazy') result.lazy++;
    if (area === 0) return;
    result.in_band++;
    result.in_band_mpx += px / 1e6;
    result.area += area;
    result.shrunk_mpx += Math.max(0, px - shownPx * devicePixelRatio ** 2) / 1e6;
  });
  each('svg', 20000, (node, area) => { result.svgs++; result.svg_area += area; });
  each('canvas', 2000, (node, area) => {
    result.canvases++;
    result.canvas_mpx += get(getter(HTMLCanvasElement, 'width'), node)
      * get(getter(HTMLCanvasElement, 'height'), node) / 1e6;
    result.canvas_area += area;
  });
  each('video', 2000, (node, area) => { result.videos++; result.video_area += area; });
  each('iframe', 2000, (node, area) => { result.frames++; result.frame_area += area; });
  return {values: result, share: isWhole ? 1 : null};
})
