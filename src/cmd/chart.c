#include "cmd/chart.h"
#include "base/buf.h"
#include "base/file.h"

#include <stdio.h>

#define COLUMNS 60
#define SVG_MAX (1024 * 1024)
#define WIDTH 760.0
#define HEIGHT 360.0
#define LEFT 64.0
#define RIGHT 16.0
#define TOP 56.0
#define BOTTOM 44.0
#define STEPS 4	       /* of the vertical axis */
#define POINTS_MAX 700 /* more are averaged */

/* The mean of the points that share slot i of count slots. */
static double
slot(const struct chart *chart, size_t line, size_t i, size_t count)
{
	size_t first = i * chart->points / count;
	size_t end = (i + 1) * chart->points / count;
	double sum = 0;

	for (size_t k = first; k < end; k++)
		sum += chart->line[line].value[k];
	return end > first ? sum / (double)(end - first) : 0;
}

static double
greatest(const struct chart *chart, size_t line, size_t count)
{
	double max = 0;

	for (size_t i = 0; i < count; i++)
		if (slot(chart, line, i, count) > max)
			max = slot(chart, line, i, count);
	return max;
}

static size_t
slots(const struct chart *chart, size_t max)
{
	return chart->points < max ? chart->points : max;
}

void
chart_print(const struct chart *chart)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆",
		"▇", "█" };
	size_t count = slots(chart, COLUMNS);

	for (size_t i = 0; i < chart->lines; i++) {
		double max = greatest(chart, i, count);

		(void)printf("%-8s ", chart->line[i].name);
		for (size_t k = 0; k < count; k++)
			(void)printf("%s",
			    blocks[max > 0 ? (size_t)(slot(chart, i, k, count) /
						     max * 8 +
						 0.5) :
					     0]);
		(void)printf(" %.0f\n", max);
	}
	(void)printf("%-8s over %zu s; at the right the highest, %s\n", "",
	    chart->points, chart->unit);
}

/* 1, 2 or 5 times a power of ten, so that STEPS of them reach max. */
static double
nice_step(double max)
{
	double step = 1;

	while (step * STEPS < max) {
		if (step * STEPS * 2 >= max)
			return step * 2;
		if (step * STEPS * 5 >= max)
			return step * 5;
		step *= 10;
	}
	return step;
}

static int
write_head(struct buf *out, const struct chart *chart)
{
	return buf_printf(out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f "
	    "%.0f\" role=\"img\" font-family=\"system-ui, sans-serif\" "
	    "font-size=\"12\">\n<title>%s</title>\n<style>\n"
	    "svg { background: #fff; } text { fill: #333; }\n"
	    ".a { stroke: #ccc; } .l0 { stroke: #9aa3ad; } .l1 { stroke: "
	    "#1f77b4; } .l2 { stroke: #d1495b; } .l3 { stroke: #2f9e62; }\n"
	    "@media (prefers-color-scheme: dark) { svg { background: #16181c; "
	    "} text { fill: #ddd; } .a { stroke: #444; } .l1 { stroke: "
	    "#6db3f2; } .l2 { stroke: #ff8a9a; } .l3 { stroke: #6fd29c; } }\n"
	    "polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; "
	    "}\n</style>\n<text x=\"%.0f\" y=\"20\" font-size=\"14\" "
	    "font-weight=\"600\">%s</text>\n",
	    WIDTH, HEIGHT, chart->title, LEFT, chart->title);
}

static int
write_axes(struct buf *out, const struct chart *chart, double step)
{
	double bottom = HEIGHT - BOTTOM, height = bottom - TOP;
	int rc = 0;

	for (int i = 0; rc == 0 && i <= STEPS; i++) {
		double y = bottom - height * i / STEPS;

		rc = buf_printf(out,
		    "<line class=\"a\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" "
		    "y2=\"%.1f\"/><text x=\"%.0f\" y=\"%.1f\" "
		    "text-anchor=\"end\">%.0f</text>\n",
		    LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, step * i);
	}
	for (int i = 0; rc == 0 && i <= 5; i++)
		rc = buf_printf(out,
		    "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%.0f "
		    "s</text>\n",
		    LEFT + (WIDTH - LEFT - RIGHT) * i / 5, bottom + 18,
		    i == 5 ? "end" : "middle", (double)chart->points * i / 5);
	return rc != 0 ?
	    rc :
	    buf_printf(out,
		"<text x=\"%.0f\" y=\"%.0f\" font-size=\"11\">%s</text>\n",
		LEFT, HEIGHT - 8, chart->unit);
}

static int
write_line(struct buf *out, const struct chart *chart, size_t line, double top)
{
	size_t count = slots(chart, POINTS_MAX);
	double height = HEIGHT - BOTTOM - TOP, width = WIDTH - LEFT - RIGHT;
	double x = LEFT + (double)line * 150;
	int rc;

	rc = buf_printf(out,
	    "<polyline class=\"l%zu\" points=\"%.0f,38 %.0f,38\"/><text "
	    "x=\"%.0f\" y=\"42\">%s</text>\n<polyline class=\"l%zu\" "
	    "points=\"",
	    line, x, x + 18, x + 24, chart->line[line].name, line);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = buf_printf(out, "%.1f,%.1f ",
		    LEFT + width * ((double)i + 0.5) / (double)count,
		    HEIGHT - BOTTOM -
			height * slot(chart, line, i, count) / top);
	return rc != 0 ? rc : buf_append_text(out, "\"/>\n");
}

int
chart_write_svg(const char *path, const struct chart *chart, struct error *err)
{
	double max = 1, step;
	struct buf out;
	int rc;

	for (size_t i = 0; i < chart->lines; i++)
		if (greatest(chart, i, slots(chart, POINTS_MAX)) > max)
			max = greatest(chart, i, slots(chart, POINTS_MAX));
	step = nice_step(max);
	buf_init(&out, SVG_MAX);
	rc = write_head(&out, chart);
	if (rc == 0)
		rc = write_axes(&out, chart, step);
	for (size_t i = 0; rc == 0 && i < chart->lines; i++)
		rc = write_line(&out, chart, i, step * STEPS);
	if (rc == 0)
		rc = buf_append_text(&out, "</svg>\n");
	rc = rc != 0 ?
	    error_set(err, ERROR_INPUT, "%s: the picture is too large", path) :
	    file_replace(path, 0644, buf_text(&out), out.len, err);
	buf_clear(&out);
	return rc;
}
