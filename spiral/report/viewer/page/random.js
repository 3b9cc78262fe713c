// The project's random streams: BLAKE2b names a stream, Philox 4×64 draws from it.
// A seed means the same numbers here and in NumPy (RFC 7693; Salmon et al., 2011).

const WORD = (1n << 64n) - 1n;
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8",
  "905724afe1bc683d", "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a",
  "6fe9b308c2d714a5", "a2847615fb9e3cd0",
].map((row) => Array.from(row, (digit) => parseInt(digit, 16)));

function mix(v, [a, b, c, d], x, y) {
  const turn = (value, bits) => ((value >> bits) | (value << (64n - bits))) & WORD;
  for (const [word, one, two] of [[x, 32n, 24n], [y, 16n, 63n]]) {
    v[a] = (v[a] + v[b] + word) & WORD;
    v[d] = turn(v[d] ^ v[a], one);
    v[c] = (v[c] + v[d]) & WORD;
    v[b] = turn(v[b] ^ v[c], two);
  }
}

/** 16-byte BLAKE2b digest of a short text (one block), as four 32-bit words. */
export function digest(text) {
  const bytes = new Uint8Array(128);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  const block = Array.from(new BigUint64Array(bytes.buffer));
  const h = IV.slice();
  h[0] ^= 0x01010010n; // no key, 16 bytes out
  const v = [...h, ...IV];
  v[12] ^= BigInt(written);
  v[14] ^= WORD; // the last block
  for (let round = 0; round < 12; round++) {
    const s = SIGMA[round % 10];
    for (let i = 0; i < 4; i++) {
      mix(v, [i, 4 + i, 8 + i, 12 + i], block[s[2 * i]], block[s[2 * i + 1]]);
    }
    for (let i = 0; i < 4; i++) {
      const diagonal = [i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3)];
      mix(v, diagonal, block[s[8 + 2 * i]], block[s[9 + 2 * i]]);
    }
  }
  const words = [0, 1].map((i) => h[i] ^ v[i] ^ v[i + 8]);
  return new Uint32Array(BigUint64Array.from(words).buffer);
}

const HALF = 2 ** 32;

/** High 32 bits of a product of two 32-bit numbers, in doubles that stay exact. */
function high(a, b) {
  const a1 = a >>> 16, a0 = a & 0xffff, b1 = b >>> 16, b0 = b & 0xffff;
  const t = a1 * b0 + ((a0 * b0) >>> 16);
  const u = a0 * b1 + (t % 65536);
  return a1 * b1 + Math.floor(t / 65536) + Math.floor(u / 65536);
}

/** 128-bit product of two 64-bit numbers, each as (low, high); into four words. */
function product(a0, a1, b0, b1, out) {
  const s = high(a0, b0) + (Math.imul(a0, b1) >>> 0) + (Math.imul(a1, b0) >>> 0);
  const t = high(a0, b1) + high(a1, b0) + (Math.imul(a1, b1) >>> 0) + Math.floor(s / HALF);
  out[0] = Math.imul(a0, b0);
  out[1] = s % HALF;
  out[2] = t % HALF;
  out[3] = high(a1, b1) + Math.floor(t / HALF);
}

/** A stream of uint32 numbers, named as `spiral.seeds.stream` names it. */
export function stream(purpose, seed, ...key) {
  const named = digest([purpose, seed, ...key].join("|"));
  const counter = new Uint32Array(8), c = new Uint32Array(8), k = new Uint32Array(4);
  const left = new Uint32Array(4), right = new Uint32Array(4);
  let place = 8;
  function refill() {
    for (let i = 0; i < 8 && ++counter[i] === 0; i++); // carry
    c.set(counter);
    k.set(named);
    for (let round = 0; round < 10; round++) {
      product(c[0], c[1], 0xe14c6c93, 0xd2e7470e, left);
      product(c[4], c[5], 0x95121157, 0xca5a8263, right);
      c[0] = right[2] ^ c[2] ^ k[0]; c[1] = right[3] ^ c[3] ^ k[1];
      c[4] = left[2] ^ c[6] ^ k[2]; c[5] = left[3] ^ c[7] ^ k[3];
      c[2] = right[0]; c[3] = right[1]; c[6] = left[0]; c[7] = left[1];
      const low = k[0] + 0x7f4a7c15, up = k[2] + 0x84caa73b;
      k[1] += 0x9e3779b9 + (low >= HALF); k[0] = low;
      k[3] += 0xbb67ae85 + (up >= HALF); k[2] = up;
    }
    place = 0;
  }
  return () => {
    if (place === 8) refill();
    return c[place++];
  };
}

/** `model.mlp.initial_params`: U(±1/√fan_in) for every weight and bias. */
export function initialParams(seed, width) {
  const next = stream("init", seed, width);
  const sizes = [[width, 2], [width, width], [width, width], [1, width]];
  const found = [];
  for (const [outputs, inputs] of sizes) {
    const scale = Math.fround(Math.sqrt(inputs));
    for (let i = 0; i < outputs * (inputs + 1); i++) {
      const uniform = Math.fround(2 * ((next() >>> 8) / 2 ** 24) - 1);
      found.push(uniform / scale);
    }
  }
  return Float32Array.from(found);
}

/** `job.epoch_order`: the order in which a seed visits the points in an epoch. */
export function epochOrder(seed, epoch, points) {
  const next = stream("order", seed, epoch);
  const order = Int32Array.from({ length: points }, (_, i) => i);
  for (let i = points - 1; i > 0; i--) {
    const mask = HALF / 2 ** Math.clz32(i) - 1;
    let j;
    do j = (next() & mask) >>> 0; while (j > i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
