//! Pictures: lines against the number of connections, and bars where there is only one number.

use super::colours;
use crate::metric::Metric;
use crate::results::{Point, Scenario};
use crate::statistics::{Summary, extrapolate};
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange, LogCoord};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::{
    ChartBuilder, Circle, DashedLineSeries, IntoDrawingArea, IntoFont, LineSeries, PathElement,
    Rectangle, SVGBackend, TRANSPARENT, Text,
};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;

const WIDTH: u32 = 560;
const HEIGHT: u32 = 320;

/// The height of a bar with the space around it, and the room for its name and its value.
const ROW: i32 = 26;
const NAMES: i32 = 200;
const VALUES: i32 = 90;

const FONT: &str = "sans-serif";

/// Values further apart than this are shown by their powers: else the small ones would be one line.
const SPREAD: f64 = 10.0;

/// Where lines of memory are continued to.
pub(super) const MILLION: f64 = 1e6;

/// What one peer had at each number of connections.
struct Line<'a> {
    name: &'a str,
    values: Vec<(f64, Summary)>,
    /// How it would go on.
    beyond: Option<(f64, f64)>,
}

/// A metric against the number of connections, a line for each peer. `None` if there is only one number.
pub(super) fn lines(scenario: &Scenario, metric: Metric) -> Result<Option<String>, Box<dyn Error>> {
    let numbers: Vec<usize> = scenario
        .points
        .iter()
        .filter_map(|point| point.connections)
        .collect();
    let (Some(&least), Some(&most)) = (numbers.iter().min(), numbers.iter().max()) else {
        return Ok(None);
    };
    if least == most {
        return Ok(None);
    }
    let names = scenario.peers();
    let lines: Vec<Line> = names
        .iter()
        .map(|name| line(scenario, name, metric))
        .collect();
    let values = || {
        lines
            .iter()
            .flat_map(|line| &line.values)
            .map(|(_, summary)| summary)
    };
    let Some(highest) = values().map(|summary| summary.max).max_by(f64::total_cmp) else {
        return Ok(None);
    };
    let lowest = values()
        .map(|summary| summary.min)
        .min_by(f64::total_cmp)
        .unwrap_or(highest);
    let end = if lines.iter().any(|line| line.beyond.is_some()) {
        MILLION
    } else {
        most as f64
    };
    let across: LogCoord<f64> = (least as f64 * 0.85..end * 1.18).log_scale().into();
    let mut picture = String::new();
    if lowest > 0.0 && highest / lowest > SPREAD {
        // Bytes are counted in powers of two, and so are labelled.
        let base = if metric.is_memory() { 4.0 } else { 10.0 };
        let up = (lowest * 0.7..highest * 1.4).log_scale().base(base);
        draw_lines(&mut picture, &lines, &numbers, across, up, metric)?;
    } else {
        draw_lines(
            &mut picture,
            &lines,
            &numbers,
            across,
            0.0..highest * 1.08,
            metric,
        )?;
    }
    Ok(Some(picture))
}

fn line<'a>(scenario: &Scenario, name: &'a str, metric: Metric) -> Line<'a> {
    let value = |point: &Point, metric| {
        let peer = point.peers.iter().find(|peer| peer.name == name)?;
        Some((point.connections? as f64, Summary::of_peer(peer, metric)?))
    };
    let values = |metric| {
        scenario
            .points
            .iter()
            .filter_map(move |point| value(point, metric))
    };
    let beyond = (metric == Metric::MemoryPerConnection).then(|| {
        let totals: Vec<_> = values(Metric::Memory)
            .map(|(x, summary)| (x, summary.median))
            .collect();
        Some((MILLION, memory_of_a_million(&totals)? / MILLION))
    });
    Line {
        name,
        values: values(metric).collect(),
        beyond: beyond.flatten(),
    }
}

/// What a million connections would take, if it went on as between the last two numbers.
pub(super) fn memory_of_a_million(totals: &[(f64, f64)]) -> Option<f64> {
    let [.., before, last] = totals else {
        return None;
    };
    Some(extrapolate(*before, *last, MILLION))
}

fn draw_lines<Y>(
    picture: &mut String,
    lines: &[Line],
    numbers: &[usize],
    across: LogCoord<f64>,
    up: Y,
    metric: Metric,
) -> Result<(), Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let root = SVGBackend::with_string(picture, (WIDTH, HEIGHT)).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(32)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(across.with_key_points(ticks(lines, numbers)), up)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(colours::grid())
        .axis_style(colours::grid())
        .label_style((FONT, 15, &colours::ink()))
        .x_desc("connections")
        .axis_desc_style((FONT, 15, &colours::ink()))
        .y_labels(6)
        .x_label_formatter(&|number| grouped(*number as usize))
        .y_label_formatter(&|value| tick(metric, *value))
        .draw()?;
    for line in lines.iter().rev() {
        let colour = colours::of(line.name);
        let style = colour.stroke_width(if line.name == crate::results::BASE {
            4
        } else {
            2
        });
        let medians: Vec<(f64, f64)> = line
            .values
            .iter()
            .map(|(x, summary)| (*x, summary.median))
            .collect();
        chart.draw_series(LineSeries::new(medians.iter().copied(), style))?;
        chart.draw_series(line.values.iter().map(|(x, summary)| {
            PathElement::new(
                vec![(*x, summary.min), (*x, summary.max)],
                colour.stroke_width(1),
            )
        }))?;
        chart.draw_series(
            medians
                .iter()
                .map(|&at| Circle::new(at, 4, colour.filled())),
        )?;
        if let (Some(&last), Some(beyond)) = (medians.last(), line.beyond) {
            chart.draw_series(DashedLineSeries::new(
                [last, beyond],
                5,
                5,
                colour.stroke_width(2),
            ))?;
            chart.draw_series([Circle::new(beyond, 4, colour.stroke_width(2))])?;
        }
    }
    root.present()?;
    drop(chart);
    Ok(())
}

/// The numbers of connections that the axis names.
fn ticks(lines: &[Line], numbers: &[usize]) -> Vec<f64> {
    let mut ticks: Vec<f64> = numbers.iter().map(|&number| number as f64).collect();
    if lines.iter().any(|line| line.beyond.is_some()) {
        ticks.push(MILLION);
    }
    ticks
}

/// A metric at one point, a bar for each peer. `None` if nobody has a value.
pub(super) fn bars(point: &Point, metric: Metric) -> Result<Option<String>, Box<dyn Error>> {
    let value = |peer| Some((peer, Summary::of_peer(peer, metric)?));
    let values: Vec<_> = point.peers.iter().filter_map(value).collect();
    let Some(highest) = values
        .iter()
        .map(|(_, summary)| summary.max)
        .max_by(f64::total_cmp)
    else {
        return Ok(None);
    };
    let height = ROW * values.len() as i32 + 8;
    let room = f64::from(WIDTH as i32 - NAMES - VALUES);
    let long = |value: f64| NAMES + (value / highest * room).round() as i32;
    let text = (FONT, 15).into_font().color(&colours::ink());
    let left = text.pos(Pos::new(HPos::Left, VPos::Center));
    let right = text.pos(Pos::new(HPos::Right, VPos::Center));
    let mut picture = String::new();
    let root = SVGBackend::with_string(&mut picture, (WIDTH, height as u32)).into_drawing_area();
    for (index, (peer, summary)) in values.iter().enumerate() {
        let top = 4 + ROW * index as i32;
        let (middle, end) = (top + ROW / 2, long(summary.median));
        let colour = colours::of(&peer.name);
        root.draw(&Text::new(
            peer.name.as_str(),
            (NAMES - 8, middle),
            right.clone(),
        ))?;
        root.draw(&Rectangle::new(
            [(NAMES, top + 4), (end.max(NAMES + 1), top + ROW - 4)],
            colour.filled(),
        ))?;
        if summary.count > 1 {
            let spread = vec![(long(summary.min), middle), (long(summary.max), middle)];
            root.draw(&PathElement::new(spread, colours::ink().stroke_width(1)))?;
        }
        let beside = (long(summary.max) + 8, middle);
        root.draw(&Text::new(
            metric.show(summary.median),
            beside,
            left.clone(),
        ))?;
    }
    root.present()?;
    drop(root);
    Ok(Some(picture))
}

/// A value at an axis, without needless zeros.
fn tick(metric: Metric, value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let shown = metric.show(value);
    let (number, unit) = shown.split_once(' ').unwrap_or((&shown, ""));
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    format!("{number} {unit}").trim_end().to_owned()
}

/// A number with its thousands told apart.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short() {
        assert_eq!(tick(Metric::Throughput, 20_000.0), "20 k");
        assert_eq!(tick(Metric::Throughput, 0.0), "0");
        assert_eq!(tick(Metric::Latency50, 0.0), "0");
        assert_eq!(tick(Metric::Latency50, 2500.0), "2.5 ms");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(grouped(64), "64");
    }

    #[test]
    fn a_million_goes_on_as_the_last_two_numbers() {
        let totals = [(1e3, 9e6), (1e4, 50e6), (1e5, 410e6)];
        assert_eq!(memory_of_a_million(&totals), Some(4010e6));
        assert_eq!(memory_of_a_million(&totals[..1]), None);
    }
}
