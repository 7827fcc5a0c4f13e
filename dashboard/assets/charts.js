// Draws a chart from the table that stands beside it: the table is the truth, the chart a picture of it.
// Page paths, titles and event names come from strangers; they reach the page as text only, never as HTML.
"use strict";

(() => {
  const narrow = 560;

  /** The colours of the page, light or dark, as the style sheet has them. */
  function palette() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      ink: colour("--ink"),
      quiet: colour("--quiet"),
      line: colour("--line"),
      card: colour("--card"),
      accent: colour("--accent"),
      second: colour("--second"),
      lost: colour("--lost"),
      font: getComputedStyle(document.body).fontFamily,
    };
  }

  const compact = (number) => new Intl.NumberFormat("en", { notation: "compact" }).format(number);

  function rowsOf(table) {
    return [...table.tBodies[0].rows].map((row) => {
      const cells = [...row.cells];
      return {
        label: cells[0].dataset.label,
        title: cells[0].textContent,
        values: cells.slice(1).map((cell) => Number(cell.dataset.value)),
        texts: cells.slice(1).map((cell) => cell.textContent),
      };
    });
  }

  const headings = (table) => [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);

  /** A tooltip built of elements: nothing in it is ever read as HTML. */
  function tip(title, lines) {
    const box = document.createElement("div");
    box.className = "tip";
    const head = document.createElement("strong");
    head.textContent = title;
    box.append(head);
    for (const [name, value] of lines) {
      const line = document.createElement("div");
      const left = document.createElement("span");
      const right = document.createElement("span");
      left.textContent = name;
      right.textContent = value;
      line.append(left, right);
      box.append(line);
    }
    return box;
  }

  function common(colours) {
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 300,
      textStyle: { fontFamily: colours.font, color: colours.quiet },
      tooltip: {
        backgroundColor: colours.card,
        borderColor: colours.line,
        borderWidth: 1,
        padding: 0,
        confine: true,
        transitionDuration: 0,
        textStyle: { color: colours.ink, fontSize: 13 },
      },
    };
  }

  /** Visitors, with their sessions as a thin line: seldom fewer, and on the same scale. */
  function area(table, colours, width) {
    const rows = rowsOf(table);
    const names = headings(table);
    const series = (name, index, colour, filled) => ({
      name,
      type: "line",
      data: rows.map((row) => row.values[index]),
      showSymbol: rows.length <= 2,
      symbolSize: 7,
      lineStyle: { width: filled ? 2.5 : 1.5, color: colour, type: filled ? "solid" : "dashed" },
      itemStyle: { color: colour },
      areaStyle: filled ? { color: colour, opacity: 0.12 } : undefined,
      emphasis: { disabled: true },
    });
    return {
      ...common(colours),
      legend: {
        left: 0,
        top: 0,
        itemWidth: 18,
        itemHeight: 8,
        icon: "roundRect",
        selectedMode: false,
        textStyle: { color: colours.quiet, fontSize: 13 },
      },
      grid: { left: width < narrow ? 32 : 44, right: 24, top: 40, bottom: 28 },
      tooltip: {
        ...common(colours).tooltip,
        trigger: "axis",
        axisPointer: { lineStyle: { color: colours.quiet, type: "dotted" } },
        formatter: (points) => {
          const row = rows[points[0].dataIndex];
          return tip(row.title, names.map((name, index) => [name, row.texts[index]]));
        },
      },
      xAxis: {
        type: "category",
        boundaryGap: rows.length === 1,
        data: rows.map((row) => row.label),
        axisLine: { lineStyle: { color: colours.line } },
        axisTick: { show: false },
        axisLabel: { color: colours.quiet, hideOverlap: true, fontSize: 12 },
      },
      yAxis: {
        type: "value",
        minInterval: 1,
        splitNumber: 4,
        splitLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.quiet, fontSize: 12, formatter: compact },
      },
      series: [series(names[0], 0, colours.accent, true), series(names[1], 1, colours.second, false)],
    };
  }

  /** A bar for each step; above it, shaded, those who were at the step before and went no further. */
  function funnel(table, colours, width) {
    const rows = rowsOf(table);
    const names = headings(table);
    const lying = width < narrow || rows.length > 7;
    const steps = {
      type: "category",
      inverse: lying,
      data: rows.map((row) => row.label),
      axisLine: { show: !lying, lineStyle: { color: colours.line } },
      axisTick: { show: false },
      axisLabel: lying
        ? { show: false }
        : { color: colours.ink, interval: 0, fontSize: 13, width: Math.max(60, width / rows.length - 20), overflow: "truncate", margin: 12 },
    };
    const counts = {
      type: "value",
      minInterval: 1,
      splitNumber: 4,
      show: !lying,
      max: rows[0].values[0] || 1,
      splitLine: { lineStyle: { color: colours.line } },
      axisLabel: { color: colours.quiet, fontSize: 12, formatter: compact },
    };
    // The step's name stands in the chart's markup between braces and bars: none of the name's own.
    const named = (row) => `{name|${row.label.replace(/[{}|]/g, " ")}}\n${row.texts[0]} · ${row.texts[3]}`;
    const counted = (row) => `${row.texts[0]}  {share|${row.texts[3]}}`;
    return {
      ...common(colours),
      grid: lying
        ? { left: 0, right: 0, top: 4, bottom: 4 }
        : { left: 44, right: 4, top: 28, bottom: 32 },
      tooltip: {
        ...common(colours).tooltip,
        trigger: "axis",
        axisPointer: { type: "none" },
        formatter: (points) => {
          const row = rows[points[0].dataIndex];
          return tip(row.title, names.map((name, index) => [name, row.texts[index]]));
        },
      },
      xAxis: lying ? counts : steps,
      yAxis: lying ? steps : counts,
      series: [
        {
          name: names[0],
          type: "bar",
          stack: "step",
          barWidth: "72%",
          barMaxWidth: lying ? 52 : 140,
          data: rows.map((row) => row.values[0]),
          itemStyle: { color: colours.accent, opacity: lying ? 0.3 : 1 },
          emphasis: { disabled: true },
        },
        {
          name: names[1],
          type: "bar",
          stack: "step",
          data: rows.map((row) => row.values[1]),
          itemStyle: {
            color: colours.lost,
            decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 6], rotation: -Math.PI / 4, color: colours.line },
          },
          emphasis: { disabled: true },
        },
        // Carries the words: a bar of no height has no room for its own.
        {
          type: "bar",
          barGap: "-100%",
          barWidth: "72%",
          barMaxWidth: lying ? 52 : 140,
          silent: true,
          data: rows.map((row) => (lying ? rows[0].values[0] || 1 : row.values[0] + row.values[1])),
          itemStyle: { color: "transparent" },
          label: {
            show: true,
            position: lying ? "insideLeft" : "top",
            color: colours.ink,
            fontSize: 13,
            formatter: ({ dataIndex }) => (lying ? named : counted)(rows[dataIndex]),
            rich: {
              name: { color: colours.ink, fontWeight: 600, fontSize: 13, lineHeight: 20 },
              share: { color: colours.quiet, fontSize: 12 },
            },
          },
          emphasis: { disabled: true },
        },
      ],
    };
  }

  const kinds = { area, funnel };

  function draw(place) {
    const table = document.getElementById(place.dataset.table);
    if (!table || !window.echarts) return;
    const rows = table.tBodies[0].rows.length;
    const lying = place.dataset.chart === "funnel" && (place.clientWidth < narrow || rows > 7);
    place.style.height = lying ? `${rows * 60}px` : "";
    echarts.getInstanceByDom(place)?.dispose();
    const chart = echarts.init(place);
    chart.setOption(kinds[place.dataset.chart](table, palette(), place.clientWidth));
    place.drawnWidth = place.clientWidth;
  }

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.clientWidth !== target.drawnWidth) draw(target);
    }
  });

  function drawAll() {
    for (const place of document.querySelectorAll("[data-chart]")) {
      draw(place);
      sizes.observe(place);
    }
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.addEventListener("htmx:afterSwap", drawAll);
  if (window.echarts) document.documentElement.classList.add("drawn");
  drawAll();
})();
