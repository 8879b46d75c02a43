var l="pyodide/",i="/lib/symderiv-archives",u=`
import json, sys
sys.dont_write_bytecode = True
sys.setrecursionlimit(1500)
sys.path[:0] = ["${i}/own", "${i}/lib.zip"]
from symderiv.web.arrays import stand_in
stand_in()
from symderiv.web.answers import answer
def answered(text):
    try:
        return json.dumps(answer(json.loads(text)))
    except Exception as err:
        said = {"kind": "Defect", "message": f"unexpected {type(err).__name__}: {err}", "hint": "please report it", "shapes": {}, "place": None}
        return json.dumps({"ok": False, "error": said})
`;function o(s,e,r){postMessage({progress:{part:s,done:e,all:r}})}var p=class{constructor(e){this.all=e}all;done=0;add(e,r){this.done=Math.min(this.all,this.done+e),o(r,this.done,this.all)}async file(e,r){let t=await fetch(l+e);if(!t.ok||!t.body)throw new Error(`${e}: ${t.status}`);let a=[],d=t.body.getReader();for(;;){let{done:n,value:c}=await d.read();if(n)break;a.push(c),this.add(c.length,r)}return new Blob(a).arrayBuffer()}};async function w(){let s=await(await fetch(`${l}sizes.json`)).json(),e=y=>s[l+y]??0,r=e("pyodide.asm.wasm")+e("python_stdlib.zip")+e("pyodide.asm.mjs"),t=new p(r+e("lib.zip")+e("own.zip"));o("Python",0,1);let{loadPyodide:a}=await import("./pyodide/pyodide.mjs"),d=new URL(l,self.location.href).href,[n,c,h]=await Promise.all([a({indexURL:d,packageBaseUrl:d}).then(y=>(t.add(r,"Python"),y)),t.file("lib.zip","SymPy"),t.file("own.zip","symderiv")]);return o("symderiv",1,1),n.runPython(`import os; os.makedirs("${i}/own")`),n.FS.writeFile(`${i}/lib.zip`,new Uint8Array(c)),n.unpackArchive(h,"zip",{extractDir:`${i}/own`}),n.runPython(u),n}var m=w();m.then(()=>{o("ready",1,1),postMessage({ready:!0})},s=>{console.error(s),o("failed",0,0)});self.onmessage=async({data:s})=>{let e=await m;postMessage({answer:JSON.parse(e.globals.get("answered")(JSON.stringify(s)))})};
