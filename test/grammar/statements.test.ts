/** Each form of each statement that fits on a line, and what it becomes. */
import { describe, expect, test } from "vitest";
import { parsed } from "../helpers/sexp.ts";

const rows = (table: readonly (readonly [string, string])[]) =>
  test.each(table)("%j", (text, expected) => {
    expect(parsed(text)).toBe(expected);
  });

describe("assignment", () =>
  rows([
    ["x = 1", "(= x 1)"],
    ["LET x = 1", "(= x 1)"],
    ["x = y = 3", "(= x (= y 3))"],
    ["x == 5", "(do (= x 5))"],
    ["a(1, 2) = 3", "(= (call a 1 2) 3)"],
    ["LET l[1] = 2", "(= (index l 1) 2)"],
    ["o.m = 2", "(= (. o m) 2)"],
    ["a.b[1](2).c = 3", "(= (. (call (index (. a b) 1) 2) c) 3)"],
    ["f()[2] = 1", "(= (index (call f) 2) 1)"],
    ["5 = x", "(do (= 5 x))"],
    ["CONST A = 1, B$ = a", "(const (A 1) (B$ a))"],
    ["SWAP a, l[1]", "(swap a (index l 1))"],
  ]));

describe("calls", () =>
  rows([
    ["f(1)", "(do (call f 1))"],
    ["o.m(1)", "(do (call (. o m) 1))"],
    ["CALL f", "(call f)"],
    ["CALL f(1)", "(call f 1)"],
    ["CALL o.m(1)", "(call (. o m) 1)"],
    ["f", "(bare f)"],
    ["o.m", "(bare (. o m))"],
    ['f "a", -b', '(arguments f "a" (neg b))'],
    ["o.m a, b", "(arguments (. o m) a b)"],
    ["f NOT a", "(arguments f (NOT a))"],
    ["f NULL, TRUE", "(arguments f NULL TRUE)"],
    ["f NEW T(1)", "(arguments f (NEW T 1))"],
    ['f "#{x}"', '(arguments f (str "" x ""))'],
    ["f -1", "(do (- f 1))"],
    ["f (1)", "(do (call f 1))"],
    ["f [1]", "(do (index f 1))"],
    ["(f)", "(do f)"],
    ["1 + 2", "(do (+ 1 2))"],
    ['"abc"', '(do "abc")'],
    ["-f", "(do (neg f))"],
    ["GEARMAN.SUBMIT$(1)", "(do (call (. GEARMAN SUBMIT$) 1))"],
  ]));

describe("DIM", () =>
  rows([
    ["DIM a(3), b(1, 2) AS T", "(dim (array a 3) (array b 1 2 AS T))"],
    ["DIM a AS T, o AS M(1), p AS M()", "(dim (typed a T) (typed o M [1]) (typed p M []))"],
    ['DIM c AS CLASS("x")', '(dim (class c "x"))'],
    ["DIM s$[5], t$ AS STRING * 7, u$ AS string", "(dim (string s$ 5) (string t$ 7) (string u$))"],
    ["DIM v = 3, w", "(dim (= v 3) w)"],
    ["DIM q% = [1, 2]", "(dim (= q% (list 1 2)))"],
  ]));

describe("TYPE", () =>
  rows([
    ["TYPE T\n DIM a%, b\n n$\n p AS Q\nEND TYPE", "(type T a% b n$ (p AS Q))"],
    ["TYPE T\n DIM s$ AS STRING * 5\n t$[4]\n u$ AS STRING\nEND TYPE", "(type T (s$ STRING 5) (t$ STRING 4) (u$ STRING))"],
    ["TYPE T { DIM a : b }", "(type T a b)"],
    ["TYPE T\n line\n 20 data\nEND", "(type T line data)"],
  ]));

describe("input", () =>
  rows([
    ["INPUT a, b$", "(input ? -> a b$)"],
    ['INPUT "n"; a', '(input "n" ? -> a)'],
    ['INPUT "n", a', '(input "n" -> a)'],
    ['INPUT "#{x}"; l[1]', '(input (str "" x "") ? -> (index l 1))'],
    ['LINE INPUT "n"; a$', '(lineInput "n" -> a$)'],
    ["LINE INPUT a$", "(lineInput -> a$)"],
    ['x = INPUT("n") : INPUT("m")', '(= x (call INPUT "n")) (do (call INPUT "m"))'],
    ["READ a, l[1]", "(read a (index l 1))"],
    ["RESTORE : RESTORE here : RESTORE 100", "(restore) (restore here) (restore 100)"],
  ]));

describe("DATA items are raw text", () =>
  rows([
    ['DATA 1, two words , "three, 3", -4.5', '(data 1 two words "three, 3" -4.5)'],
    ['DATA "a ""b"""', '(data "a \\"b\\"")'],
    ["DATA a ' b\nDATA c : x = 1", "(data a) (data c) (= x 1)"],
    ["DATA 5abc, ?, 5. REM x", "(data 5abc ? 5.)"],
    ["DATA 1,,2", "(data 1 '' 2)"],
    ['DATA 5" pipe\nx = "y"', '(data 5" pipe) (= x "y")'],
    ["DATA (x) # y", "(data (x))"],
  ]));

describe("jumps and ends", () =>
  rows([
    ["GOTO a : GOTO 100 : GOSUB b", "(goto a) (goto 100) (gosub b)"],
    ["RETURN : RETURN 5 : RETURN TO x", "(return) (return 5) (returnTo x)"],
    ["ON x + 1 GOTO a, 20 : ON y GOSUB c", "(onGoto (+ x 1) a 20) (onGosub y c)"],
    ["EXIT : EXIT 3 : EXIT(5) : EXIT f", "(exit) (exit 3) (exit 5) (exit f)"],
    ["FOR i = 1 TO 2 : EXIT FOR : NEXT", "(for i 1 2 {(exitLoop FOR)})"],
    ["SUB s : EXIT SUB : EXIT FUNC : EXIT FUNCTION : END SUB", "(sub s [] {(exitRoutine) (exitRoutine) (exitRoutine)})"],
    ["END : STOP", "(end) (stop)"],
    ['RAISE "x"', '(raise "x")'],
    ["LABEL here", "here:"],
  ]));

describe("the rest", () =>
  rows([
    ['SETENV A = 1 : EXPORTENV B_B = "x"', '(setenv A 1) (exportenv B_B "x")'],
    ['SHELL "ls" : SHELL("ls")', '(shell "ls") (shell "ls")'],
    ['EXEC "a" : EXEC("b")', '(exec "a") (exec "b")'],
    ["SLEEP 5 : SLEEP(5) : DESCRIBE a", "(sleep 5) (sleep 5) (describe a)"],
    ["RANDOMIZE : RANDOMIZE 5", "(randomize) (randomize 5)"],
    ['INCLUDE "obj-gearman"', '(include "obj-gearman")'],
    ["#USE A, B_2\n #use c", "(use A B_2) (use c)"],
    ["#USE\n#USEFUL x\nx = 1 #USE A", "(= x 1)"],
  ]));

describe("PRINT in classic", () =>
  rows([
    ["PRINT", "(print NL)"],
    ["PRINTLN", "(print NL)"],
    ['PRINT "a"; b, 3', '(print "a" b TAB 3 NL)'],
    ['PRINT "a";', '(print "a")'],
    ['PRINT "a",\nPRINT "b"', '(print "a" TAB) (print "b" NL)'],
    ['PRINT ,"x",,"y"', '(print TAB "x" TAB TAB "y" NL)'],
    ['PRINT "x"; PRINT "y"', '(print "x") (print "y" NL)'],
    ['PRINT "a"; b = 2', '(print "a" (= b 2) NL)'],
    ['PRINT "a"; LEFT$(r$, 3); "..."', '(print "a" (call LEFT$ r$ 3) "..." NL)'],
    ['PRINT "a"; data; SHELL("x")', '(print "a" data (SHELL? "x") NL)'],
    ['PRINT "a"; SHELL "x"', '(print "a") (shell "x")'],
    ['PRINT "a"; : PRINT "b"', '(print "a") (print "b" NL)'],
    ['PRINTLN "a"; "b";', '(print "a" "b" NL)'],
    ['PRINTLN "a",\n"b"', '(print "a" TAB "b" NL)'],
    ["{ PRINT a; }", "(block {(print a)})"],
    ["DO : PRINT a; LOOP", "(loop {(print a)})"],
  ]));

test.each([
  ['PRINT "x"; PRINT "y"; 5;', '(print "x") (print "y") (do 5)'],
  ["PRINT", "(print)"],
  ["PRINTLN", "(print NL)"],
  ['PRINT "a", 1', '(print "a" TAB 1)'],
  ['PRINT "a",\n "b"', '(print "a" TAB "b")'],
  ['PRINTLN "a"; PRINTLN "b";', '(print "a" NL) (print "b" NL)'],
])("PRINT in basil: %j", (text, expected) => {
  expect(parsed(text, "basil")).toBe(expected);
});
