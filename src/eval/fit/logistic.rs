//! Logistic regression over a handful of features, by Newton's method.

/// One observation: its features, whether it is so, and how much it counts.
pub(super) struct Observation<const N: usize> {
    pub(super) features: [f64; N],
    pub(super) is_so: bool,
    pub(super) weight: f64,
}

/// Holds coefficients back a little: with classes that can be told apart wholly they would grow for ever.
const RIDGE: f64 = 1e-3;
/// Newton's method doubles its digits each round; past this it has them all.
const ROUNDS: usize = 60;

/// Coefficients of the features, then the constant, that make the observations likeliest.
pub(super) fn fit<const N: usize>(observations: &[Observation<N>]) -> ([f64; N], f64) {
    let total: f64 = observations.iter().map(|o| o.weight).sum::<f64>().max(f64::MIN_POSITIVE);
    // In units of its own spread, so that the ridge holds no feature back more than another.
    let mean = |of: &dyn Fn(&Observation<N>) -> f64| observations.iter().map(|o| o.weight * of(o)).sum::<f64>() / total;
    let centre: [f64; N] = std::array::from_fn(|at| mean(&|o| o.features[at]));
    let spread: [f64; N] = std::array::from_fn(|at| mean(&|o| (o.features[at] - centre[at]).powi(2)).sqrt().max(1e-9));
    let mut beta = vec![0.0; N + 1];
    for _ in 0..ROUNDS {
        let mut gradient = vec![0.0; N + 1];
        let mut hessian = vec![vec![0.0; N + 1]; N + 1];
        for (at, row) in hessian.iter_mut().enumerate().take(N) {
            row[at] = RIDGE;
            gradient[at] = RIDGE * beta[at];
        }
        hessian[N][N] = 1e-9;
        for observation in observations {
            let x = |at: usize| observation.features.get(at).map_or(1.0, |feature| (feature - centre[at]) / spread[at]);
            let odds: f64 = (0..=N).map(|at| beta[at] * x(at)).sum();
            let p = 1.0 / (1.0 + (-odds).exp());
            let (error, weight) = (p - f64::from(u8::from(observation.is_so)), observation.weight / total);
            for i in 0..=N {
                gradient[i] += weight * error * x(i);
                for (j, cell) in hessian[i].iter_mut().enumerate() {
                    *cell += weight * (p * (1.0 - p)).max(1e-9) * x(i) * x(j);
                }
            }
        }
        let step = solve(hessian, gradient);
        // Far from the end a whole step may overshoot.
        let size = step.iter().map(|s| s * s).sum::<f64>().sqrt();
        let scale = (5.0 / size.max(f64::MIN_POSITIVE)).min(1.0);
        beta.iter_mut().zip(&step).for_each(|(b, s)| *b -= scale * s);
        if size < 1e-10 {
            break;
        }
    }
    let coefficients: [f64; N] = std::array::from_fn(|at| beta[at] / spread[at]);
    let constant = beta[N] - coefficients.iter().zip(&centre).map(|(c, centre)| c * centre).sum::<f64>();
    (coefficients, constant)
}

/// Gaussian elimination with pivots; a direction that nothing is known about stays 0.
fn solve(mut rows: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs())).unwrap_or(column);
        rows.swap(column, pivot);
        right.swap(column, pivot);
        if rows[column][column].abs() < 1e-15 {
            continue;
        }
        for below in column + 1..n {
            let factor = rows[below][column] / rows[column][column];
            let (upper, lower) = rows.split_at_mut(below);
            lower[0].iter_mut().zip(&upper[column]).for_each(|(cell, above)| *cell -= factor * above);
            right[below] -= factor * right[column];
        }
    }
    let mut solution = vec![0.0; n];
    for column in (0..n).rev() {
        let known: f64 = (column + 1..n).map(|at| rows[column][at] * solution[at]).sum();
        if 1e-15 <= rows[column][column].abs() {
            solution[column] = (right[column] - known) / rows[column][column];
        }
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_law_that_made_the_observations() {
        // Every feature value with both outcomes, weighed as the law says.
        let law = |x: f64, y: f64| 1.0 / (1.0 + (-(2.0 * x - 3.0 * y + 0.5)).exp());
        let grid = (0..20).flat_map(|i| (0..20).map(move |j| (f64::from(i) / 10.0 - 1.0, f64::from(j) / 10.0 - 1.0)));
        let observations: Vec<Observation<2>> = grid
            .flat_map(|(x, y)| {
                [(true, law(x, y)), (false, 1.0 - law(x, y))].map(|(is_so, weight)| Observation {
                    features: [x, y],
                    is_so,
                    weight,
                })
            })
            .collect();
        let ([a, b], c) = fit(&observations);
        assert!((a - 2.0).abs() < 0.1 && (b + 3.0).abs() < 0.15 && (c - 0.5).abs() < 0.05, "{a} {b} {c}");
    }

    #[test]
    fn classes_that_can_be_told_apart_wholly_stay_finite() {
        let observation = |x: f64| Observation { features: [x], is_so: 0.0 < x, weight: 1.0 };
        let ([a], c) = fit(&[-2.0, -1.0, 1.0, 2.0].map(observation));
        assert!(1.0 < a && a < 100.0 && c.abs() < 1e-3, "{a} {c}");
        let ([a], c) = fit::<1>(&[]);
        assert_eq!((a, c), (0.0, 0.0));
    }
}
