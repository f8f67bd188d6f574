"use strict";
// What both pages use; it stands in front of their own programs.

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    name in made ? made[name] = value : made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// three significant digits without an exponent
function short(value) {
  if (!value) return Number.isNaN(value) ? "–" : "0";
  const decimals = 2 - Math.floor(Math.log10(Math.abs(value)));
  return decimals > 0 ? String(value.toFixed(Math.min(decimals, 20))).replace(/\.?0+$/, "") : String(Number(value.toPrecision(3)));
}

