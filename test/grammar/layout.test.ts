/** Where lines end and what belongs to what: continuation, labels, soft words, IF forms, closing words. */
import { describe, expect, test } from "vitest";
import { parsed } from "../helpers/sexp.ts";

const rows = (table: readonly (readonly [string, string])[], dialect: "classic" | "basil" = "classic") =>
  test.each(table)("%j", (text, expected) => {
    expect(parsed(text, dialect)).toBe(expected);
  });

describe("a newline does not count", () =>
  rows([
    ["x = f(\n1,\n2\n)", "(= x (call f 1 2))"],
    ["x = [\n1,\n2,\n]", "(= x (list 1 2))"],
    ['x = {\n"a": 1,\n"b": 2\n}', '(= x (dict "a":1 "b":2))'],
    ["x = 1 +\n2", "(= x (+ 1 2))"],
    ["x = a AND\nb", "(= x (AND a b))"],
    ["x =\n5", "(= x 5)"],
    ["FOR i = 1 TO\n3 STEP\n2\nNEXT", "(for i 1 3 2 {})"],
    ["LET a = 5\n-1", "(= a (- 5 1))"],
    ['x = "a"\n\n\' comment\n + "b"', '(= x (+ "a" "b"))'],
    ["f a\n, b", "(arguments f a b)"],
    ["x = a\n .b\n .c(1)", "(= x (call (. (. a b) c) 1))"],
    ["x = 1 _ ' comment\n + 2", "(= x (+ 1 2))"],
    ["x = _\n1", "(= x 1)"],
  ]));

describe("a newline counts", () =>
  rows([
    ["x = a\nNOT b", "(= x a) (do (NOT b))"],
    ["x = a\n(b)", "(= x a) (do b)"],
    ["WITH o\n x = a\n .b = 1\nEND WITH", "(with o {(= x a) (= (. b) 1)})"],
    ["PRINT a;\n-1", "(print a) (do (neg 1))"],
  ]));

describe("separators", () =>
  rows([
    [";;; x = 1 ;;: y = 2 :", "(= x 1) (= y 2)"],
    ["LET b = a: PRINTLN b", "(= b a) (print b NL)"],
    ["{ x = 1 } y = 2", "(block {(= x 1)}) (= y 2)"],
    ["BEGIN x = 1 END y = 2", "(block {(= x 1)}) (= y 2)"],
    ["FOR i = 1 TO n x = i NEXT y = 2", "(for i 1 n {(= x i)}) (= y 2)"],
    ["FOR i = 1 TO n x = i NEXT i y = 2", "(for i 1 n {(= x i)}) (= y 2)"],
    ["FOR i = 5 TO 1 PRINT i; NEXT", "(for i 5 1 {(print i)})"],
    ["DO x = x + 1 LOOP UNTIL x > 3", "(loop {(= x (+ x 1))} UNTIL (> x 3))"],
    ["WHILE a x = 1 WEND", "(while a {(= x 1)})"],
    ["SUB h() RETURN END", "(sub h [] {(return)})"],
  ]));

describe("comments", () =>
  rows([
    ["x = 8 // 2", "(= x 8)"],
    ["x = 1 'a\ny = 2 # b\nREM c\nz = 3 rem d", "(= x 1) (= y 2) (= z 3)"],
    ["remaining = 1 : d.rem = 2", "(= remaining 1) (= (. d rem) 2)"],
    ['x = "http://x \' # REM"', '(= x "http://x \' # REM")'],
  ]));

describe("labels", () =>
  rows([
    ["foo: PRINT 1", "foo: (print 1 NL)"],
    ["foo : PRINT 1", "(bare foo) (print 1 NL)"],
    ["10 PRINT 1\n20\n30 x = 2", "10: (print 1 NL) 20: 30: (= x 2)"],
    ["10: x = 1", "10: (= x 1)"],
    ["1 + 2", "(do (+ 1 2))"],
    ["10 FOR I = 1 TO 2\n20 PRINT I\n30 NEXT I", "10: (for I 1 2 {20: (print I NL) 30:})"],
    ["10 IF a THEN\n20 x = 1\n30 ELSE\n40 y = 1\n50 END IF", "10: (if a {20: (= x 1) 30:} else {40: (= y 1) 50:})"],
    ["loop: x = 1 : GOTO loop", "loop: (= x 1) (goto loop)"],
    ["data: read: x = 1", "data: read: (= x 1)"],
    ["DO : LOOP: x = 1", "(loop {}) (= x 1)"],
  ]));

describe("soft words", () =>
  rows([
    ["data = 5 : loop[1] = 2 : read.x = 3", "(= data 5) (= (index loop 1) 2) (= (. read x) 3)"],
    ["LET loop = 1 : DIM input, line", "(= loop 1) (dim input line)"],
    ["line x", "(arguments line x)"],
    ["until = 1 : string = 2", "(= until 1) (= string 2)"],
  ]));

describe("one-line IF in classic", () =>
  rows([
    ["IF a THEN b ELSE c", "(if a {(bare b)} else {(bare c)})"],
    ["IF a THEN x : y ELSE u : v\nw", "(if a {(bare x) (bare y)} else {(bare u) (bare v)}) (bare w)"],
    ["IF a THEN x; y", "(if a {(bare x)}) (bare y)"],
    ["IF a THEN x; ELSE y", "(if a {(bare x)} else {(bare y)})"],
    ["IF a THEN x\nELSE y", "(if a {(bare x)} else {(bare y)})"],
    ["IF a THEN 100 ELSE 200", "(if a {(goto 100)} else {(goto 200)})"],
    ["IF a THEN END ELSE STOP", "(if a {(end)} else {(stop)})"],
    ["IF a THEN IF b THEN x ELSE y ELSE z", "(if a {(if b {(bare x)} else {(bare y)})} else {(bare z)})"],
    ["IF a THEN x ELSE IF b THEN y ELSE z", "(if a {(bare x)} else {(if b {(bare y)} else {(bare z)})})"],
    ["FOR i = 1 TO 3 : IF i THEN x : NEXT", "(for i 1 3 {(if i {(bare x)})})"],
    ["IF a THEN FOR i = 1 TO 2 : x : NEXT : y", "(if a {(for i 1 2 {(bare x)}) (bare y)})"],
    ["IF a THEN BREAK_ : y", "(if a {(bare BREAK_) (bare y)})"],
    ["IF a THEN PRINT 1; ELSE PRINT 2", "(if a {(print 1)} else {(print 2 NL)})"],
  ]));

describe("one-line IF in basil", () =>
  rows(
    [
      ["IF a THEN x : y", "(if a {(bare x)}) (bare y)"],
      ["IF a THEN x : ELSE y : z", "(if a {(bare x)} else {(bare y)}) (bare z)"],
    ],
    "basil",
  ));

describe("block IF", () =>
  rows([
    ["IF a THEN\nx\ny\nEND IF", "(if a {(bare x) (bare y)})"],
    ["IF a THEN ' why\nx\nENDIF", "(if a {(bare x)})"],
    [
      "IF a THEN\nx\nELSEIF b THEN\ny\nELSE IF c THEN\nz\nELSE\nw\nEND IF",
      "(if a {(bare x)} elseif b {(bare y)} elseif c {(bare z)} else {(bare w)})",
    ],
    ["IF a THEN\nx\nELSEIF b\ny\nEND IF", "(if a {(bare x)} elseif b {(bare y)})"],
    ["IF a THEN\nx\nELSE IF b THEN y\nz\nEND IF", "(if a {(bare x)} else {(if b {(bare y)}) (bare z)})"],
    ["IF a THEN\nIF b THEN x\nELSE\ny\nEND IF", "(if a {(if b {(bare x)})} else {(bare y)})"],
    ["IF a THEN\nIF b THEN\nx\nEND IF\nEND IF", "(if a {(if b {(bare x)})})"],
  ]));

describe("THEN newline without END IF governs one statement", () =>
  rows([
    ["IF a THEN\nx\nELSE IF b THEN\ny\nz", "(if a {(bare x)} else {(if b {(bare y)})}) (bare z)"],
    ["IF a THEN\nx\ny", "(if a {(bare x)}) (bare y)"],
    ["IF a THEN\nx\nELSE\ny\nz", "(if a {(bare x)} else {(bare y)}) (bare z)"],
    ["FOR i = 1 TO 2\nIF a THEN\nx\ny\nNEXT", "(for i 1 2 {(if a {(bare x)}) (bare y)})"],
    ["SUB s\nIF a THEN\nRETURN\nEND", "(sub s [] {(if a {(return)})})"],
    ["IF a THEN\nIF b THEN\nx\nEND IF\ny", "(if a {(if b {(bare x)})}) (bare y)"],
    ["SELECT CASE a\nCASE 1\nIF b THEN\nx\nCASE 2\nEND SELECT", "(select a [1] {(if b {(bare x)})} [2] {})"],
    [
      "TRY\nIF a THEN\nx\nCATCH\nIF a THEN\ny\nFINALLY\nEND TRY",
      "(try {(if a {(bare x)})} catch {(if a {(bare y)})} finally {})",
    ],
  ]));

describe("IF with BEGIN", () =>
  rows([
    ["IF a THEN BEGIN\nx\nELSE\ny\nz\nEND", "(if a {(bare x)} else {(bare y) (bare z)})"],
    ["IF a THEN\nBEGIN\nx\nELSE\nBEGIN\ny\nEND\nz", "(if a {(bare x)} else {(bare y)}) (bare z)"],
    [
      "IF a THEN BEGIN\nx\nELSEIF b THEN BEGIN\ny\nELSE BEGIN\nz\nEND IF",
      "(if a {(bare x)} elseif b {(bare y)} else {(bare z)})",
    ],
    ["IF a THEN BEGIN\nx\nEND ELSE y\nz", "(if a {(bare x)} else {(bare y)}) (bare z)"],
    ["IF a THEN BEGIN\nx\nEND ELSE BEGIN\ny\nEND", "(if a {(bare x)} else {(bare y)})"],
    ["IF a THEN BEGIN\nIF b THEN x\nELSE y\nEND", "(if a {(if b {(bare x)} else {(bare y)})})"],
    ["IF a THEN BEGIN\nIF b THEN\nx\nEND IF\nEND", "(if a {(if b {(bare x)})})"],
    ["IF a THEN BEGIN x ELSE BEGIN END", "(if a {(bare x)} else {})"],
  ]));

describe("IF with braces", () =>
  rows([
    ["IF a { x }", "(if a {(bare x)})"],
    ["IF a THEN { x } ELSE { y }", "(if a {(bare x)} else {(bare y)})"],
    ["IF a {\nx\n}\nELSE {\ny\n}", "(if a {(bare x)} else {(bare y)})"],
    ["IF a { x } ELSE y\nz", "(if a {(bare x)} else {(bare y)}) (bare z)"],
    ["IF a { x } ELSE IF b { y } ELSE { z }", "(if a {(bare x)} else {(if b {(bare y)} else {(bare z)})})"],
    ['IF a = {"k": 1} { x }', '(if (= a (dict "k":1)) {(bare x)})'],
    ["IF a THEN\nIF b { x }\nELSE\ny\nEND IF", "(if a {(if b {(bare x)})} else {(bare y)})"],
  ]));

describe("loops", () =>
  rows([
    ["WHILE a BEGIN\nx\nEND WHILE", "(while a {(bare x)})"],
    ["WHILE a BEGIN x END", "(while a {(bare x)})"],
    ["WHILE a { x }", "(while a {(bare x)})"],
    ["WHILE a\nx\nWEND", "(while a {(bare x)})"],
    ["WHILE a\nx\nEND WHILE", "(while a {(bare x)})"],
    ["WHILE a\nx\nENDWHILE", "(while a {(bare x)})"],
    ["DO\nLOOP", "(loop {})"],
    ["DO WHILE a\nLOOP", "(loop WHILE a {})"],
    ["DO UNTIL a\nLOOP", "(loop UNTIL a {})"],
    ["DO\nLOOP WHILE a", "(loop {} WHILE a)"],
    ["DO\nLOOP UNTIL a : x", "(loop {} UNTIL a) (bare x)"],
    ["FOR i = 1 TO 2 STEP -1 BEGIN\nx\nEND\nNEXT i", "(for i 1 2 (neg 1) {(block {(bare x)})})"],
    ["FOR i = 1 TO 2\n{\nx\n}\nNEXT", "(for i 1 2 {(block {(bare x)})})"],
    ["FOR EACH v IN [1, 2]\nx\nNEXT V", "(foreach v (list 1 2) {(bare x)})"],
  ]));

describe("other constructs", () =>
  rows([
    [
      'SELECT CASE a : CASE 1 TO 3, IS > 5: x : CASE "a" : y : CASE ELSE : z : END SELECT',
      '(select a [(TO 1 3) (IS > 5)] {(bare x)} ["a"] {(bare y)} else {(bare z)})',
    ],
    ["SELECT CASE a {\nCASE 1\nx\n}", "(select a [1] {(bare x)})"],
    ["SELECT CASE a\nCASE IS == 1\nEND", "(select a [(IS = 1)] {})"],
    ["TRY : x : CATCH e$ : y : FINALLY : z : END TRY", "(try {(bare x)} catch e$ {(bare y)} finally {(bare z)})"],
    ["TRY\nCATCH\nEND TRY", "(try {} catch {})"],
    ["WITH d@ : .a = 9 : PRINTLN .a : .m 1 : END WITH", "(with d@ {(= (. a) 9) (print (. a) NL) (arguments (. m) 1)})"],
    ["FUNC f(a, b$)\nRETURN a\nEND", "(func f [a b$] {(return a)})"],
    ["FUNCTION f()\nBEGIN\nRETURN\nEND FUNCTION", "(func f [] {(return)})"],
    ["FUNC f() {\n}", "(func f [] {})"],
    ["FUNC f()\n{\n}", "(func f [] {})"],
    ["SUB s\nENDSUB", "(sub s [] {})"],
    ["SUB s\nSUB t\nEND SUB\nEND SUB", "(sub s [] {(sub t [] {})})"],
    ["10 GOSUB 50\n30 END\n50 RETURN", "10: (gosub 50) 30: (end) 50: (return)"],
    ["BEGIN\nx\nENDBLOCK\n{ y }", "(block {(bare x)}) (block {(bare y)})"],
  ]));
