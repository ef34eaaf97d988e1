// The rules of WCAG 2 that a script can tell: names, labels, landmarks, headings, ids, contrast, room.
const wrong = [];
const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
const name = (element) => (element.getAttribute('aria-label') || element.textContent || element.title || '').trim();
const say = (rule, element) => wrong.push(`${rule}: ${element.outerHTML.slice(0, 140)}`);
for (const element of document.querySelectorAll('a, button, summary')) {
  if (seen(element) && !name(element)) say('has no name', element);
}
for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
  if (seen(field) && !field.labels.length && !field.getAttribute('aria-label')) say('has no label', field);
}
for (const image of document.querySelectorAll('img:not([alt]), svg:not([aria-hidden]):not([aria-label]):not([role])')) {
  if (!image.closest('[aria-label]')) say('has no text', image);
}
const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => wrong.push(`twice: #${id}`));
if (document.querySelectorAll('main').length !== 1) wrong.push('not one main');
if ([...document.querySelectorAll('h1')].filter(seen).length !== 1) wrong.push('not one h1');
if (!document.documentElement.lang || !document.title) wrong.push('no language or title');
if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push(`wider than the window: ${document.documentElement.scrollWidth}`);
for (const list of document.querySelectorAll('ul, ol')) {
  for (const child of list.children) if (child.tagName !== 'LI') say('no item of its list', child);
}
for (const reference of document.querySelectorAll('[aria-labelledby]')) {
  if (!document.getElementById(reference.getAttribute('aria-labelledby'))) say('is named by nothing', reference);
}
// Contrast: each text against what is painted behind it.
const parse = (colour) => {
  const parts = /rgba?\(([^)]*)\)/.exec(colour)[1].split(/[ ,/]+/).map(Number);
  return { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 };
};
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const { rgb, alpha } = parse(getComputedStyle(at).backgroundColor);
    if (alpha > 0) layers.push([rgb, alpha]);
    if (alpha === 1) break;
  }
  return layers.reverse().reduce((below, [rgb, alpha]) => rgb.map((part, n) => part * alpha + below[n] * (1 - alpha)), [255, 255, 255]);
};
const light = (rgb) => {
  const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || !seen(element) || element.closest('.unseen, .skip, svg, option, datalist, [aria-hidden] .sign')) continue;
  const style = getComputedStyle(element);
  const [one, two] = [light(parse(style.color).rgb), light(behind(element))].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (two + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${style.color} on ${behind(element).map(Math.round)}: ${node.data.trim().slice(0, 40)} in ${element.outerHTML.slice(0, 90)}`);
}
return [...new Set(wrong)];
