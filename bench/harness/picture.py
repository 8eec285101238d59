"""Bars as SVG: stands alone, no script, no font, no outside address; colours
follow the reader's choice of light or dark."""

from xml.sax.saxutils import escape

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 %d" \
role="img" font-family="system-ui, sans-serif" font-size="12">
<title>%s</title>
<style>
svg { background: #fff; } text { fill: #333; }
.other { fill: #9aa3ad; } .ours { fill: #1f77b4; } .base { fill: #6b7580; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; } text { fill: #ddd; }
  .other { fill: #59616b; } .ours { fill: #6db3f2; } .base { fill: #8b95a1; }
}
</style>
"""


def bars(title, groups, note):
    """groups: (heading, [(name, value, text, is_ours)]); returns SVG."""
    lines, y = [], 58
    most = max((value for _, rows in groups for _, value, _, _ in rows),
               default=1) or 1
    for heading, rows in groups:
        lines.append('<text x="16" y="%d" font-weight="600">%s</text>'
                     % (y, escape(heading)))
        y += 8
        for name, value, label, ours in rows:
            width = 470 * value / most
            kind = "ours" if ours else "base" if name == "nginx" else "other"
            lines.append(
                '<text x="120" y="%d" text-anchor="end">%s</text>'
                '<rect class="%s" x="128" y="%d" width="%.1f" height="14" '
                'rx="2"/><text x="%.1f" y="%d">%s</text>'
                % (y + 12, escape(name), kind, y + 1, width, 134 + width,
                   y + 12, escape(label)))
            y += 19
        y += 22
    return (HEAD % (y + 20, escape(title)) +
            '<text x="16" y="26" font-size="15" font-weight="600">%s</text>\n'
            % escape(title) + "\n".join(lines) +
            '\n<text x="16" y="%d" font-size="11">%s</text>\n</svg>\n'
            % (y + 4, escape(note)))
