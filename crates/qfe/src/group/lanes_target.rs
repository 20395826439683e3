//! The final exponentiation, eight elements at a time; see [`target`](super::target).

use rayon::prelude::*;

use super::{
    lanes12::{Fp12x8, Inverting, Work, to_shifted},
    target,
    vector::invert_all,
};
use crate::raw::{
    Fp12, Vector, X,
    ifma::{Fp8, Ifma},
};

pub(super) const LANES: usize = 8;

/// `f^((p⁶−1)(p²+1))` of every element, with one inversion for all; none where one is zero.
fn easy_parts(token: Ifma, elements: &[Fp12x8]) -> Option<Vec<Fp12x8>> {
    let work = &mut *Work::new(token);
    token.run(|| {
        let parts: Vec<Inverting> = elements.iter().map(|element| Inverting::new(element, work)).collect();
        let norms: Vec<Fp8> = parts.iter().map(|part| part.norm().norm()).collect();
        let inverses = invert_all(&norms)?;
        let finish = |(part, inverse): (&Inverting, &Fp8)| {
            let mut g = part.finish(inverse, work);
            g.mul(&g.frobenius(2), work);
            g
        };
        Some(parts.iter().zip(&inverses).map(finish).collect())
    })
}

/// The same on all threads.
pub(crate) fn easy_vectors(token: Ifma, elements: &[Fp12x8]) -> Option<Vec<Fp12x8>> {
    let size = elements.len().div_ceil(rayon::current_num_threads()).clamp(1, 16);
    let parts: Option<Vec<Vec<Fp12x8>>> = elements.par_chunks(size).map(|part| easy_parts(token, part)).collect();
    parts.map(|parts| parts.concat())
}

/// The hard part, for elements of the cyclotomic subgroup.
pub(super) fn hard_part(f: &Fp12x8, work: &mut Work) -> Fp12x8 {
    let mut a = power_of_x(f, work);
    a.mul(&f.conjugate(), work);
    let mut b = power_of_x(&a, work);
    b.mul(&a.conjugate(), work);
    let mut c = power_of_x(&b, work);
    c.mul(&b.frobenius(1), work);
    let mut d = power_of_x(&c, work);
    d = power_of_x(&d, work);
    d.mul(&c.frobenius(2), work);
    d.mul(&c.conjugate(), work);
    let mut cube = *f;
    cube.cyclotomic_sqr(work);
    cube.mul(f, work);
    d.mul(&cube, work);
    d
}

/// `f^x` for the (negative) curve parameter.
fn power_of_x(f: &Fp12x8, work: &mut Work) -> Fp12x8 {
    let mut power = *f;
    for bit in (0..63).rev() {
        power.cyclotomic_sqr(work);
        if X >> bit & 1 == 1 {
            power.mul(f, work);
        }
    }
    power.conjugate()
}

/// Eight of some elements in shifted form; the last one in the lanes that are left.
pub(super) fn gather<'a>(token: Ifma, count: usize, element: impl Fn(usize) -> &'a Fp12) -> Fp12x8 {
    Fp12x8::load(token, std::array::from_fn(|lane| element(lane.min(count - 1))))
}

/// Both parts of the final exponentiation of many elements.
pub(crate) fn final_exponentiations(elements: &[Fp12]) -> Vec<Fp12> {
    let scalar = |f: &Fp12| target::hard_part(&target::easy_part(f));
    // One element alone is quicker by scalars.
    let Some(token) = Ifma::detect().filter(|_| elements.len() > 1) else {
        return elements.par_iter().map(scalar).collect();
    };
    let chunks = elements.par_chunks(LANES);
    let results = chunks.flat_map_iter(|chunk| {
        let shifted: Vec<Fp12> = chunk.iter().map(to_shifted).collect();
        let vector = gather(token, chunk.len(), |lane| &shifted[lane]);
        let easy = easy_parts(token, &[vector]).filter(|_| chunk.len() > 1);
        match easy.as_deref() {
            Some([easy]) => hard_part(easy, &mut Work::new(token)).unload()[..chunk.len()].to_vec(),
            _ => chunk.iter().map(scalar).collect(),
        }
    });
    results.collect()
}

#[cfg(all(test, target_arch = "x86_64", feature = "lanes"))]
mod tests {
    use super::*;
    use crate::raw::{Coordinate, Fp, Fp2, Scalar, miller_loop};

    #[test]
    fn lanes_exponentiate_as_scalars_do() {
        let token = Ifma::or_model();
        let elements: Vec<Fp12> = (1..9)
            .map(|k| miller_loop(&Fp::generator(), &Fp2::scalar_mul(&Fp2::generator(), &Scalar::from_i64(k))))
            .collect();
        let shifted: Vec<Fp12> = elements.iter().map(to_shifted).collect();
        let vector = gather(token, 8, |lane| &shifted[lane]);
        let easy = easy_parts(token, &[vector, vector]).unwrap();
        let expected: Vec<Fp12> = elements.iter().map(target::easy_part).collect();
        assert!(easy.iter().all(|easy| easy.unload()[..] == expected));
        let squares: Vec<Fp12> = expected.iter().map(Fp12::cyclotomic_sqr).collect();
        let work = &mut *Work::new(token);
        type Way = fn(&mut Fp12x8, &mut Work);
        let ways: [Way; 3] = [|f, work| f.cyclotomic_sqr(work), |f, work| f.mul(&{ *f }, work), |f, work| f.sqr(work)];
        for way in ways {
            let mut f = easy[0];
            way(&mut f, work);
            assert!(f.unload()[..] == squares);
        }
        for n in [1, 2] {
            let powers: Vec<Fp12> = expected.iter().map(|f| f.frobenius(n)).collect();
            assert!(easy[0].frobenius(n).unload()[..] == powers);
        }
        let expected: Vec<Fp12> = expected.iter().map(target::hard_part).collect();
        assert!(hard_part(&easy[0], work).unload()[..] == expected);
        assert!(final_exponentiations(&elements) == expected);
        assert!(final_exponentiations(&elements[..1]) == expected[..1]);
    }
}
