use prem_stats::case_mix::SufficientStatistics;
use std::hint::black_box;
use std::time::Instant;
fn mixed(seed: u64) -> f64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}
fn best(mut f: impl FnMut()) -> f64 {
    (0..7)
        .map(|_| {
            let t = Instant::now();
            f();
            t.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}
fn main() {
    let n: usize = 4_000_000;
    let units = 2000;
    let unit: Vec<u32> = (0..n).map(|i| (i * units / n) as u32).collect();
    let x: Vec<Vec<f64>> = (0..12).map(|k| (0..n).map(|i| mixed((i * 12 + k) as u64)).collect()).collect();
    let y: Vec<f64> = (0..n).map(|i| mixed(i as u64 ^ 0xabcdef)).collect();
    let cols: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    let add = || {
        let mut s = SufficientStatistics::new(units, 12);
        s.add(&unit, &y, &cols).unwrap();
        black_box(s);
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    println!("add, all threads {:.4}", best(add));
    println!("add, one thread  {:.4}", one.install(|| best(add)));
    // reading only
    println!(
        "read             {:.4}",
        best(|| {
            let mut t = 0.0;
            for c in cols.iter().chain([&y.as_slice()]) {
                let mut l = [0.0; 8];
                for ch in c.as_chunks::<8>().0 {
                    for i in 0..8 {
                        l[i] += ch[i];
                    }
                }
                t += l[0] + l[3];
            }
            black_box(t);
        })
    );
    // faer on raw blocks
    for rows in [256usize, 512, 1024, 2048] {
        let q = 13;
        let mut buf = vec![0.0; rows * q];
        let mut acc = faer::Mat::<f64>::zeros(q, q);
        println!(
            "faer tri {rows}  {:.4}",
            best(|| {
                for s in (0..n).step_by(rows) {
                    let e = (s + rows).min(n);
                    let m = e - s;
                    for (k, c) in cols.iter().chain([&y.as_slice()]).enumerate() {
                        let o = &mut buf[k * rows..k * rows + m];
                        o.copy_from_slice(&c[s..e]);
                    }
                    let a = faer::MatRef::from_column_major_slice(&buf, rows, q).subrows(0, m);
                    use faer::linalg::matmul::triangular::{BlockStructure, matmul};
                    matmul(
                        acc.as_mut(),
                        BlockStructure::TriangularLower,
                        faer::Accum::Replace,
                        a.transpose(),
                        BlockStructure::Rectangular,
                        a,
                        BlockStructure::Rectangular,
                        1.0,
                        faer::Par::Seq,
                    );
                }
                black_box(&acc);
            })
        );
        println!(
            "faer full {rows}  {:.4}",
            best(|| {
                for s in (0..n).step_by(rows) {
                    let e = (s + rows).min(n);
                    let m = e - s;
                    for (k, c) in cols.iter().chain([&y.as_slice()]).enumerate() {
                        let o = &mut buf[k * rows..k * rows + m];
                        o.copy_from_slice(&c[s..e]);
                    }
                    let a = faer::MatRef::from_column_major_slice(&buf, rows, q).subrows(0, m);
                    faer::linalg::matmul::matmul(
                        acc.as_mut(),
                        faer::Accum::Replace,
                        a.transpose(),
                        a,
                        1.0,
                        faer::Par::Seq,
                    );
                }
                black_box(&acc);
            })
        );
    }
}
