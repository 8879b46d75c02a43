var l="pyodide/",o="/lib/symderiv-archives",u=`
import json, sys
sys.dont_write_bytecode = True
sys.setrecursionlimit(1500)
sys.path[:0] = ["${o}/own.zip", "${o}/lib.zip"]
from symderiv.web.arrays import stand_in
stand_in()
from symderiv.web.answers import answer
def answered(text):
    try:
        return json.dumps(answer(json.loads(text)))
    except Exception as err:
        said = {"kind": "Defect", "message": f"unexpected {type(err).__name__}: {err}", "hint": "please report it", "shapes": {}, "place": None}
        return json.dumps({"ok": False, "error": said})
`;function a(t,e,s){postMessage({progress:{part:t,done:e,all:s}})}var c=class{constructor(e){this.all=e}all;done=0;add(e,s){this.done=Math.min(this.all,this.done+e),a(s,this.done,this.all)}async file(e,s){let n=await fetch(l+e);if(!n.ok||!n.body)throw new Error(`${e}: ${n.status}`);let i=[],y=n.body.getReader();for(;;){let{done:d,value:r}=await y.read();if(d)break;i.push(r),this.add(r.length,s)}return new Blob(i).arrayBuffer()}};async function f(){a("Python",0,1);let t=import("./pyodide/pyodide.mjs"),e=await(await fetch(`${l}sizes.json`)).json(),s=p=>e[l+p]??0,n=s("pyodide.asm.wasm")+s("python_stdlib.zip")+s("pyodide.asm.mjs"),i=new c(n+s("lib.zip")+s("own.zip")),{loadPyodide:y}=await t,d=new URL(l,self.location.href).href,[r,h,w]=await Promise.all([y({indexURL:d,packageBaseUrl:d}).then(p=>(i.add(n,"Python"),p)),i.file("lib.zip","SymPy"),i.file("own.zip","symderiv")]);return a("symderiv",1,1),r.FS.mkdir(o),r.FS.writeFile(`${o}/lib.zip`,new Uint8Array(h)),r.FS.writeFile(`${o}/own.zip`,new Uint8Array(w)),r.runPython(u),r}var m=f();m.then(()=>{a("ready",1,1),postMessage({ready:!0})},t=>{console.error(t),a("failed",0,0)});self.onmessage=async({data:t})=>{let e=await m;postMessage({answer:JSON.parse(e.globals.get("answered")(JSON.stringify(t)))})};
