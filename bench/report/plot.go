package main

import (
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/restflow-go/restflow/bench/peer"
)

var (
	ourColor   = color.RGBA{R: 0x1a, G: 0x73, B: 0xc8, A: 0xff}
	theirColor = color.RGBA{R: 0xb0, G: 0xb0, B: 0xb0, A: 0xff}
	bareColor  = color.RGBA{R: 0xe0, G: 0xd8, B: 0xb8, A: 0xff}
	lineColors = []color.RGBA{
		ourColor,
		{R: 0xd9, G: 0x6c, B: 0x06, A: 0xff},
		{R: 0x9c, G: 0x27, B: 0x5a, A: 0xff},
		{R: 0x0b, G: 0x8a, B: 0x6f, A: 0xff},
		{R: 0x70, G: 0x70, B: 0x70, A: 0xff},
	}
)

// plots writes the pictures of the page.
func plots(r *results, docs string) error {
	if err := plotHits(r, filepath.Join(docs, "benchmarks-hit.svg")); err != nil {
		return err
	}
	return plotDrops(r, filepath.Join(docs, "benchmarks-invalidate.svg"))
}

// spanTicks and countTicks are the powers of ten, written as the tables write them.
type (
	spanTicks  struct{}
	countTicks struct{}
)

func (spanTicks) Ticks(from, to float64) []plot.Tick  { return powers(from, to, shortSpan) }
func (countTicks) Ticks(from, to float64) []plot.Tick { return powers(from, to, thousands) }

func powers(from, to float64, label func(float64) string) []plot.Tick {
	ticks := plot.LogTicks{Prec: -1}.Ticks(from, to)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = label(ticks[i].Value)
		}
	}
	return ticks
}

// shortSpan writes a power of ten nanoseconds: 100ns, 1µs.
func shortSpan(ns float64) string { return time.Duration(math.Round(ns)).String() }

func kindColor(k peer.Kind) color.Color {
	switch k {
	case peer.Ours:
		return ourColor
	case peer.Theirs:
		return theirColor
	}
	return bareColor
}

// plotHits draws a bar a peer. The axis is logarithmic: a bar begins at 100 ns.
func plotHits(r *results, file string) error {
	hits := r.hits("1KiB", "")
	slices.Reverse(hits) // the first bar is drawn at the bottom
	p := plot.New()
	p.Title.Text = "A hit of 1 KiB on one core"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, spanTicks{}
	p.X.Min = 100
	p.Add(plotter.NewGrid())
	names := make([]string, len(hits))
	for i, h := range hits {
		names[i] = h.peer.Name
		bar, err := plotter.NewPolygon(rectangle(100, h.time.median(), float64(i)))
		if err != nil {
			return err
		}
		bar.Color, bar.LineStyle.Width = kindColor(h.peer.Kind), 0
		p.Add(bar)
	}
	p.NominalY(names...)
	return p.Save(20*vg.Centimeter, 12*vg.Centimeter, file)
}

// rectangle is a bar that lies, around the height y.
func rectangle(from, to, y float64) plotter.XYs {
	return plotter.XYs{{X: from, Y: y - 0.35}, {X: to, Y: y - 0.35}, {X: to, Y: y + 0.35}, {X: from, Y: y + 0.35}}
}

// plotDrops draws a line for each way to invalidate, over the size of the group.
func plotDrops(r *results, file string) error {
	p := plot.New()
	p.Title.Text = "Invalidating a group"
	p.X.Label.Text = "entries in the group"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, countTicks{}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, spanTicks{}
	p.Y.Max = 5e10 // room for the legend
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(2)
	p.Add(plotter.NewGrid())
	for i, a := range slices.Concat(onRedis, inMemory) {
		var points plotter.XYs
		for _, n := range groupSizes {
			if s := a.at(r, n); s.present() {
				points = append(points, plotter.XY{X: float64(n), Y: s.median()})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, dots.Color = lineColors[i], lineColors[i]
		line.Width = vg.Points(1.5)
		p.Add(line, dots)
		p.Legend.Add(a.label, line, dots)
	}
	return p.Save(20*vg.Centimeter, 12*vg.Centimeter, file)
}
