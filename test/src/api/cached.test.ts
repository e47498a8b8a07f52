import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CachedAnswers } from "../../../src/api/cached.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const fail = () => Promise.reject(new Error("away"));
const KEPT_FOR = { freshMs: 100, usableMs: 1000 };

test("cached answers: one is made for all who ask the same, and another for another question", async () => {
  const cached = new CachedAnswers<number>(KEPT_FOR);
  let made = 0;
  const make = async () => ++made;
  expect(await Promise.all([cached.get("a", make), cached.get("a", make), cached.get("b", make)])).toEqual([1, 1, 2]);
});

test("cached answers: an old one is given at once while a new one is made, and one that is too old is not", async () => {
  const cached = new CachedAnswers<number>(KEPT_FOR);
  let made = 0;
  const make = async () => ++made;
  await cached.get("a", make);
  vi.advanceTimersByTime(101);
  expect(await cached.get("a", make)).toBe(1);
  expect(await cached.get("a", make)).toBe(2);
  vi.advanceTimersByTime(1001);
  expect(await cached.get("a", make)).toBe(3);
});

test("cached answers: what takes long to make is made seldom", async () => {
  const cached = new CachedAnswers<number>(KEPT_FOR);
  let made = 0;
  const make = async () => {
    await vi.advanceTimersByTimeAsync(20);
    return ++made;
  };
  await cached.get("a", make);
  await vi.advanceTimersByTimeAsync(350);
  await cached.get("a", make);
  await vi.advanceTimersByTimeAsync(1);
  expect(made).toBe(1);
  await vi.advanceTimersByTimeAsync(60);
  await cached.get("a", make);
  await vi.advanceTimersByTimeAsync(1);
  expect(made).toBe(2);
});

test("cached answers: a failure is told to who waits for it, and the next who asks tries again", async () => {
  const cached = new CachedAnswers<number>(KEPT_FOR);
  await expect(cached.get("a", fail)).rejects.toThrow("away");
  expect(await cached.get("a", async () => 1)).toBe(1);
  vi.advanceTimersByTime(101);
  expect(await cached.get("a", fail)).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await cached.get("a", async () => 2)).toBe(1);
});
